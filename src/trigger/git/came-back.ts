import type { Store } from '../../model/ports/store.ts';
import type { Cause, RunSummary } from '../../model/run-record.ts';

export type SourceCause = Extract<Cause, { readonly kind: 'source' }>;

/** Runs of one task that are looked through. */
const MOST_RUNS = 500;

/** What a push, or a new head of a pull request, is about to fire. */
interface FiredPush {
  readonly task: string;
  readonly taskId: string;
  /** Nearest cause of the run. */
  readonly cause: SourceCause;
  /** The key that the first push of this commit to this ref uses up. */
  readonly key: string;
  /** The commit that was there before it; of a pull request nobody tells it. */
  readonly before?: string;
}

/**
 * The newest run that a trigger made for a branch, tag or pull request, when it is of what the push took away, and the commit that it put there was
 * run before: the ref was forced back to what it was. Undefined for all else. That nobody has moved it on again is for the caller to find out.
 */
export async function runInBetween({ runs }: Pick<Store, 'runs'>, push: FiredPush): Promise<RunSummary | undefined> {
  const { task, taskId, cause, key, before } = push;
  if (before === cause.commit || !(await runs.fired(taskId, cause.trigger, [key])).has(key)) return undefined;
  const newest = (await runs.list({ task, limit: MOST_RUNS })).find((run) => isOfSameRef(run, cause));
  const between = newest === undefined ? undefined : sourceOf(newest)?.commit;
  return between !== cause.commit && (before === undefined || between === before) ? newest : undefined;
}

function isOfSameRef(run: RunSummary, { trigger, event, branch, tag, pullRequest, repositoryUrl }: SourceCause): boolean {
  const own = sourceOf(run);
  if (own?.trigger !== trigger || own.event !== event) return false;
  // Its branch is told otherwise by looks and by forges.
  if (pullRequest !== undefined) return own.pullRequest === pullRequest && own.repositoryUrl === repositoryUrl;
  return own.branch === branch && own.tag === tag;
}

function sourceOf({ causes: [first] }: RunSummary): SourceCause | undefined {
  return first?.kind === 'source' ? first : undefined;
}
