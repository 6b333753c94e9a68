import { EngineError } from '../../model/engine-error.ts';
import type { GitWatchStore } from '../../model/ports/git-watch-store.ts';
import { isZeroId, type PullRequestHappening, type TriggerEvent } from '../../model/trigger-event.ts';
import type { TriggerParts } from '../parts.ts';
import { withDeadline } from './deadline.ts';
import type { Listing, Listings } from './listings.ts';
import { branchOf, isObjectId, short, shown, tagOf } from './ref-names.ts';

/** `commit`: what the event is about, as the source has it. `stale`: the source does not bear the event out. */
export type Verdict =
  /** What a look of this daemon has found has no listing, unless one was needed. */
  { readonly kind: 'genuine'; readonly commit: string; readonly listing?: Listing } | { readonly kind: 'stale'; readonly because: string };

export interface RefHappening {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
}

type About = Pick<TriggerEvent, 'origin' | 'receivedAt'>;

export interface VerifyParts {
  readonly watch: GitWatchStore;
  readonly listings: Listings;
  readonly parts: Pick<TriggerParts, 'git' | 'clock' | 'gitCache'>;
}

interface Ending {
  readonly signal: AbortSignal;
}

/** A forge may tell of a push before each of its servers has it. */
const LAG_MS = 30_000;
const LONGEST_HISTORY_MS = 120_000;

/**
 * Whether the push of a branch or tag happened: the ref is there now, or it was where the push began and has gone on from where it ended (a
 * newer push has followed). That a push names a commit is not enough: forges serve the commits of forks by their ids, too.
 */
export async function verifyRef(
  key: string,
  event: About & { readonly happening: RefHappening },
  around: VerifyParts & Ending,
): Promise<Verdict> {
  const { ref, before, after } = event.happening;
  if (!isObjectId(after)) return { kind: 'stale', because: `the event names no commit of ${shown(ref)}` };
  const verdict = async (listing: Listing): Promise<Verdict | undefined> => {
    const head = listing.refs.get(ref);
    if (head !== undefined && (head === after || listing.tagObjects.get(ref) === after)) return { kind: 'genuine', commit: head, listing };
    if (await around.watch.hadRef(key, ref, after)) {
      // Told a second time, or found before by a look. Whom a person asks to repeat it, repeats it.
      if (event.origin === 'replay') return { kind: 'genuine', commit: after, listing };
      return { kind: 'stale', because: `${nameOf(ref)} was at ${short(after)} before and is ${whereIs(head)} now` };
    }
    if (head === undefined || tagOf(ref) !== undefined || isZeroId(before)) return undefined;
    const hasFollowed = (await around.watch.hadRef(key, ref, before)) && (await follows({ ref, head, after }, listing, around));
    return hasFollowed ? { kind: 'genuine', commit: after, listing } : undefined;
  };
  return inSpiteOfLag(key, event, around, verdict, ({ refs }) => `${nameOf(ref)} is ${whereIs(refs.get(ref))} and not at ${short(after)}`);
}

/** Whether the head of a branch has the commit in its history. */
async function follows(
  { ref, head, after }: { readonly ref: string; readonly head: string; readonly after: string },
  { access }: Listing,
  { parts, signal }: Pick<VerifyParts & Ending, 'parts' | 'signal'>,
): Promise<boolean> {
  const { url, token } = access;
  const range = { url, after: head, afterRef: ref, before: after, ...(token === undefined ? {} : { token }) };
  const read = withDeadline({ ms: LONGEST_HISTORY_MS, signal, what: `reading the history of ${url}` }, (ending) =>
    parts.git.changes({ ...range, cacheDirectory: parts.gitCache, signal: ending }),
  );
  return read.then(({ base }) => base === after, refused);
}

function refused(error: unknown): false {
  if (error instanceof EngineError && !error.transient) return false;
  throw error;
}

/** Whether the pull request has this head: of its ref, of its branch, or in the repository that it comes from. */
export async function verifyPullRequest(
  key: string,
  event: About & { readonly happening: PullRequestHappening },
  around: VerifyParts & Ending,
): Promise<Verdict> {
  const { headSha, number } = event.happening;
  if (!/^[0-9a-f]{7,64}$/.test(headSha)) return { kind: 'stale', because: `the event names no commit of pull request ${shown(number)}` };
  const verdict = async (listing: Listing): Promise<Verdict | undefined> => {
    const head = (await headsOf(event.happening, listing, around)).find((id) => id.startsWith(headSha));
    return head === undefined ? undefined : { kind: 'genuine', commit: head, listing };
  };
  return inSpiteOfLag(key, event, around, verdict, ({ refs }) => {
    const now = refs.get(event.happening.headRef ?? '');
    return `pull request ${shown(number)} is ${whereIs(now)} and not at ${short(headSha)}`;
  });
}

async function headsOf(
  happening: PullRequestHappening,
  listing: Listing,
  { parts, signal }: VerifyParts & Ending,
): Promise<readonly string[]> {
  const { headRef, headBranch, headUrl, fork } = happening;
  const branch = `refs/heads/${headBranch}`;
  const own = [headRef, fork ? undefined : branch].flatMap((ref) => listing.refs.get(ref ?? '') ?? []);
  if (!fork || headUrl === undefined || headRef !== undefined) return own;
  // The same token serves the same server only.
  const { url, token } = listing.access;
  const same = URL.canParse(headUrl) && URL.canParse(url) && new URL(headUrl).origin === new URL(url).origin;
  const there = await withDeadline({ ms: 60_000, signal, what: `listing the refs of ${headUrl}` }, (ending) =>
    parts.git.listRefs({ url: headUrl, signal: ending, ...(same && token !== undefined ? { token } : {}) }),
  );
  const head = there.refs.get(branch);
  return head === undefined ? own : [...own, head];
}

async function inSpiteOfLag(
  key: string,
  event: About,
  { listings, parts }: VerifyParts,
  verdict: (listing: Listing) => Promise<Verdict | undefined>,
  refusal: (listing: Listing) => string,
): Promise<Verdict> {
  const receivedMs = Date.parse(event.receivedAt);
  const first = await listings.since(key, receivedMs);
  if (first === undefined) return { kind: 'stale', because: 'no task follows the repository any more' };
  const found = await verdict(first);
  if (found !== undefined) return found;
  const isFresh = parts.clock.now().getTime() - receivedMs < LAG_MS;
  const again = isFresh ? await listings.since(key, first.askedMs + 1) : undefined;
  const foundAgain = again === undefined ? undefined : await verdict(again);
  return foundAgain ?? { kind: 'stale', because: refusal(again ?? first) };
}

function nameOf(ref: string): string {
  const [branch, tag] = [branchOf(ref), tagOf(ref)];
  if (branch !== undefined) return `branch ${shown(branch)}`;
  return tag === undefined ? shown(ref) : `tag ${shown(tag)}`;
}

function whereIs(id: string | undefined): string {
  return id === undefined ? 'not there' : `at ${short(id)}`;
}

const LASTING: ReadonlySet<string> = new Set(['context-failed', 'context-rejected', 'secret-unavailable']);

/** Why a repository cannot be asked, when that will not pass by itself. Rethrows what may. */
export function unreachable(error: unknown): string {
  if (error instanceof EngineError && !error.transient && LASTING.has(error.code)) return error.message;
  throw error;
}
