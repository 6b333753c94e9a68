import { isZeroId } from '../../model/trigger-event.ts';
import type { TriggerParts } from '../parts.ts';
import type { RepositoryAccess } from './access.ts';
import { withDeadline } from './deadline.ts';
import type { Difference } from './differences.ts';
import { tagOf } from './ref-names.ts';

export interface ForcedParts {
  readonly git: TriggerParts['git'];
  readonly gitCache: string;
  readonly watch: Pick<TriggerParts['store']['gitWatch'], 'hadRef'>;
  readonly closing: AbortSignal;
}

interface Look {
  readonly key: string;
  readonly access: RepositoryAccess;
  /** Some trigger reads the history of pushes anyway: what is read for this is kept for it. */
  readonly readsHistory: boolean;
}

/** Branches of one look whose history is read. */
const MOST_READ = 20;
const LONGEST_MS = 10_000;

/**
 * Marks what was moved elsewhere than forward, as forges do: tags that were moved, branches that came back to a commit where they were before, and,
 * where the history is read anyway, branches that do not follow what they were at.
 */
export async function markForced(found: readonly Difference[], look: Look, parts: ForcedParts): Promise<readonly Difference[]> {
  const marked: Difference[] = [];
  let left = look.readsHistory ? MOST_READ : 0;
  for (const difference of found) {
    const { event } = difference;
    const happening = event?.happening;
    const isMove = happening !== undefined && 'before' in happening && !isZeroId(happening.before) && !isZeroId(happening.after);
    if (event === undefined || !isMove) {
      marked.push(difference);
      continue;
    }
    let forced = tagOf(happening.ref) !== undefined || (await parts.watch.hadRef(look.key, happening.ref, happening.after));
    if (!forced && left > 0) {
      left -= 1;
      const follows = await follow(happening, look, parts);
      forced = follows === false;
      // What is slow or fails now would be so for the others, too.
      if (follows === undefined) left = 0;
    }
    marked.push(forced ? { ...difference, event: { ...event, happening: { ...happening, forced } } } : difference);
  }
  return marked;
}

interface Move {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
}

/** Whether the ref went forward; undefined when that cannot be known soon. */
async function follow(
  { ref, before, after }: Move,
  { access }: Look,
  { git, gitCache, closing }: ForcedParts,
): Promise<boolean | undefined> {
  const { url, token } = access;
  const range = { url, after, afterRef: ref, before, cacheDirectory: gitCache, ...(token === undefined ? {} : { token }) };
  try {
    const { base } = await withDeadline({ ms: LONGEST_MS, signal: closing, what: `reading the history of ${url}` }, (signal) =>
      git.changes({ ...range, signal }),
    );
    return base === undefined ? undefined : base === before;
  } catch {
    return undefined;
  }
}
