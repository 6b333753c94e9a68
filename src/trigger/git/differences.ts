import type { SourceEvent } from '../../model/trigger-definition.ts';
import type { Happening, NewTriggerEvent, SourceRepositoryId } from '../../model/trigger-event.ts';
import type { Listing } from './listings.ts';
import { branchOf, pullRequestOf, tagOf } from './ref-names.ts';

/** A ref whose id is another one now; null: gone. */
export interface Difference {
  readonly ref: string;
  readonly id: string | null;
  /** When somebody wants to know. */
  readonly event?: NewTriggerEvent;
}

interface Look {
  readonly key: string;
  readonly known: ReadonlyMap<string, string>;
  /** When that was seen: a ref can come back to what it was, and go the same way again. */
  readonly knownAt: string;
  readonly listing: Listing;
  /** What tasks want to know of. */
  readonly followed: ReadonlySet<SourceEvent>;
}

/** What is otherwise than it was seen, as events of what is followed. */
export function differences({ key, known, knownAt, listing, followed }: Look): readonly Difference[] {
  const refs = new Map<string, string | null>();
  for (const [ref, id] of listing.refs) if (known.get(ref) !== id) refs.set(ref, id);
  for (const ref of known.keys()) if (!listing.refs.has(ref)) refs.set(ref, null);
  const branches = new Map([...listing.refs].flatMap(([ref, id]) => (branchOf(ref) === undefined ? [] : [[id, branchOf(ref) ?? '']])));
  return [...refs].map(([ref, id]) => {
    const before = known.get(ref) ?? zeros(id ?? '');
    const happening = happeningOf({ ref, before, after: id }, { listing, branches });
    if (happening === undefined || !followed.has(eventOf(happening.kind))) return { ref, id };
    const dedupKey = `poll:${key}:${ref}:${before}:${id ?? zeros(before)}:${knownAt}`;
    return { ref, id, event: { dedupKey, origin: 'poll', happening } };
  });
}

type Changed = Extract<Happening, { readonly kind: 'push' | 'tag' | 'pull-request' }>;

function eventOf(kind: Changed['kind']): SourceEvent {
  return kind === 'push' ? 'commit' : kind === 'tag' ? 'tag' : 'pullrequest';
}

interface Change {
  readonly ref: string;
  readonly before: string;
  readonly after: string | null;
}

interface Around {
  readonly listing: Listing;
  /** A branch of each commit that is the head of one. */
  readonly branches: ReadonlyMap<string, string>;
}

function happeningOf({ ref, before, after }: Change, { listing, branches }: Around): Changed | undefined {
  const { access, head } = listing;
  const defaultBranch = head === undefined ? undefined : branchOf(head);
  const repository: SourceRepositoryId = {
    forge: access.forge,
    url: access.url,
    ...(defaultBranch === undefined ? {} : { defaultBranch }),
  };
  const number = pullRequestOf(ref);
  if (number === undefined)
    return { kind: tagOf(ref) === undefined ? 'push' : 'tag', repository, ref, before, after: after ?? zeros(before) };
  if (defaultBranch === undefined) return undefined;
  const branch = after === null ? undefined : branches.get(after);
  const baseSha = listing.refs.get(head ?? '');
  return {
    ...{ kind: 'pull-request', repository, number, headRef: ref, headSha: after ?? before, baseBranch: defaultBranch },
    action: after === null ? 'closed' : /^0+$/.test(before) ? 'opened' : 'synchronized',
    headBranch: branch ?? ref.slice('refs/'.length),
    ...(baseSha === undefined ? {} : { baseSha }),
    // Whose it is a look does not tell. What is the head of a branch here somebody pushed who may.
    fork: branch === undefined,
  };
}

function zeros(like: string): string {
  return '0'.repeat(like.length === 64 ? 64 : 40);
}
