import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../model/engine-error.ts';
import { type GitCommand, GitFailure } from './git-command.ts';
import { isMissing, type OpenRemote } from './open-remote.ts';

/** Checked ids and full names; see GitChangesRequest. */
export interface CommitRange {
  readonly after: string;
  readonly afterRef?: string;
  readonly before?: string;
  readonly against?: string;
}

interface History extends OpenRemote {
  /** Speaks to no remote. */
  readonly local: GitCommand;
  readonly directory: string;
}

/** Commits of history that are fetched at a time, until it is enough; then all. */
const DEPTHS = [64, 1024] as const;

/**
 * Brings `after` and as much history into the repository as shows where it left the other side of the range. Resolves to that commit: `before`
 * itself when `after` follows it. Undefined when it cannot be known. Rejects with EngineError when the remote has no `after`.
 */
export async function fetchHistory(range: CommitRange, history: History): Promise<string | undefined> {
  if (range.before !== undefined && (await hasCommit(history, range.after))) {
    const known = await mergeBase(history, range.before, range.after);
    if (known !== undefined) return known;
  }
  for (const depth of history.remote.shallow ? [...DEPTHS, 'all' as const] : (['all'] as const)) {
    const other = await fetchBoth(range, depth, history);
    if (other === undefined) return undefined;
    const found = await mergeBase(history, other, range.after);
    if (found !== undefined) return found;
    if (!(await isShallow(history))) return undefined;
  }
  return undefined;
}

type Depth = number | 'all';

/** The id of the other side, or undefined when it is not to be had. */
async function fetchBoth(range: CommitRange, depth: Depth, history: History): Promise<string | undefined> {
  await fetchAfter(range, depth, history);
  const { before, against } = range;
  if (before !== undefined && (await fetchCommit(before, 'refs/slipway/before', depth, history))) return before;
  if (against === undefined) return undefined;
  if (!(await tryFetch(`+${against}:refs/slipway/against`, depth, history))) return undefined;
  return (await history.local.run(['rev-parse', '--verify', '--end-of-options', 'refs/slipway/against^{commit}'])).trim();
}

async function fetchAfter({ after, afterRef }: CommitRange, depth: Depth, history: History): Promise<void> {
  if (await fetchCommit(after, 'refs/slipway/after', depth, history)) return;
  // Servers may refuse to serve a commit by its id: the ref that leads to it, and then every branch, as far as there is history.
  for (const refspec of [...(afterRef === undefined ? [] : [`+${afterRef}:refs/slipway/through`]), '+refs/heads/*:refs/slipway/heads/*']) {
    for (const reach of depth === 'all' ? [depth] : [depth, 'all' as const]) {
      if ((await tryFetch(refspec, reach, history)) && (await hasCommit(history, after))) return;
    }
  }
  throw new EngineError('context-failed', `${history.remote.remote} has no ${after}`, {
    help: 'The commit may have been removed from its branch since.',
  });
}

async function fetchCommit(id: string, name: string, depth: Depth, history: History): Promise<boolean> {
  return (history.remote.shallow && (await tryFetch(`+${id}:${name}`, depth, history))) || hasCommit(history, id);
}

/** False when the server has not, or does not give, what is asked for. */
async function tryFetch(refspec: string, depth: Depth, { git, remote, directory }: History): Promise<boolean> {
  const all = (await isShallow({ directory })) ? ['--unshallow'] : [];
  const options = [...(remote.shallow ? ['--filter=blob:none'] : []), ...(depth === 'all' ? all : ['--depth', String(depth)])];
  try {
    await git.run(['fetch', '--no-tags', '--no-write-fetch-head', '--progress', ...options, '--', 'origin', refspec]);
    return true;
  } catch (error) {
    if (error instanceof GitFailure && isMissing(error)) return false;
    throw error;
  }
}

export async function hasCommit({ local }: Pick<History, 'local'>, id: string): Promise<boolean> {
  return local.run(['rev-parse', '--verify', '--quiet', '--end-of-options', `${id}^{commit}`]).then(() => true, refusal(false));
}

async function mergeBase({ local }: Pick<History, 'local'>, one: string, other: string): Promise<string | undefined> {
  return local.run(['merge-base', '--end-of-options', one, other]).then((answer) => answer.trim().split('\n')[0], refusal(undefined));
}

/** git's no is an answer here; a cancelled question is none. */
function refusal<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof GitFailure) return value;
    throw error;
  };
}

function isShallow({ directory }: Pick<History, 'directory'>): Promise<boolean> {
  return stat(join(directory, 'shallow')).then(
    (found) => found.size > 0,
    () => false,
  );
}
