import { rm } from 'node:fs/promises';
import { EngineError } from '../model/engine-error.ts';
import type { GitChanges, GitChangesRequest } from '../model/ports/git-source.ts';
import { isZeroId } from '../model/trigger-event.ts';
import { type CommitRange, fetchHistory, hasCommit } from './fetch-history.ts';
import { createGitCommand, type GitCommand, GitFailure } from './git-command.ts';
import type { GitContext } from './git-context.ts';
import type { GitUrl } from './git-url.ts';
import type { HistoryCaches } from './history-cache.ts';
import { openRemote, quote, remoteError, remoteUrl } from './open-remote.ts';
import { parseGitRef } from './validate-ref.ts';

const MAX_PATHS_OUTPUT = 128 * 1024 * 1024;
const MAX_MESSAGE = 64 * 1024;

/** GitSource.changes, over caches. */
export function createChanges(context: GitContext, caches: HistoryCaches): (request: GitChangesRequest) => Promise<GitChanges> {
  return async (request) => {
    const range = checkedRange(request);
    const url = remoteUrl(request, context);
    try {
      return await inCache({ request, range, url }, context, caches);
    } catch (error) {
      throw error instanceof GitFailure ? remoteError(error, url, `read the history of ${range.after} from`) : error;
    }
  };
}

function checkedRange(request: GitChangesRequest): CommitRange {
  return {
    after: commitId(request.after),
    ...(request.before === undefined || isZeroId(request.before) ? {} : { before: commitId(request.before) }),
    ...(request.afterRef === undefined ? {} : { afterRef: fullRef(request.afterRef) }),
    ...(request.against === undefined ? {} : { against: fullRef(request.against) }),
  };
}

function commitId(text: string): string {
  const parsed = parseGitRef(text);
  if (parsed.ok && parsed.value.kind === 'commit') return parsed.value.id;
  throw new EngineError('context-rejected', `${quote(text)} is not the full id of a commit`);
}

function fullRef(text: string): string {
  const parsed = parseGitRef(text);
  if (parsed.ok && parsed.value.kind === 'ref') return parsed.value.name;
  throw new EngineError('context-rejected', `${quote(text)} is not the full name of a ref${parsed.ok ? '' : `: ${parsed.error}`}`);
}

interface Asked {
  readonly request: GitChangesRequest;
  readonly range: CommitRange;
  readonly url: GitUrl;
}

/** Whatever git finds wrong in a cache that was there before, a new one is tried once. */
function inCache(asked: Asked, context: GitContext, caches: HistoryCaches): Promise<GitChanges> {
  const { request, range, url } = asked;
  return caches.use(request.cacheDirectory, { url, longIds: range.after.length === 64, signal: request.signal }, async (cache) => {
    try {
      return await readChanges(asked, cache.directory, context);
    } catch (error) {
      if (!(error instanceof GitFailure) || cache.isNew) throw error;
      await rm(cache.directory, { recursive: true, force: true });
      await cache.make();
      return readChanges(asked, cache.directory, context);
    }
  });
}

async function readChanges({ request, range, url }: Asked, directory: string, context: GitContext): Promise<GitChanges> {
  const { signal } = request;
  const opened = await openRemote(url, { directory, signal, isolated: true, origin: true }, context);
  const local = await createGitCommand({
    ...{ directory, protocols: [], environment: context.environment, signal },
    ...{ isolated: true, maxOutput: MAX_PATHS_OUTPUT },
  });
  const base = await fetchHistory(range, { ...opened, local, directory });
  const message = (await local.run(['log', '-1', '--no-show-signature', '--format=%B', '--end-of-options', range.after, '--'])).slice(
    0,
    MAX_MESSAGE,
  );
  if (base === undefined) return { paths: undefined, message };
  const { before = range.after, after } = range;
  const wasTakenBack = request.isMove === true && base === after && before !== after;
  const from = wasTakenBack ? before : base;
  // It may be gone with the branch that it was on: the other branch does not tell what was taken back.
  const isKnown = from === base || (await hasCommit({ local }, from));
  return { paths: isKnown ? await changedPaths(local, from, after) : undefined, message, base };
}

/** Trees alone are compared: no contents are needed, and no attribute, filter or driver of the repository is asked. */
async function changedPaths(local: GitCommand, base: string, after: string): Promise<readonly string[] | undefined> {
  try {
    const listing = await local.run(['diff-tree', '-r', '-z', '--name-only', '--no-renames', '--end-of-options', base, after, '--']);
    return listing.split('\0').filter((path) => path !== '');
  } catch (error) {
    // More paths than are taken: they are not known then.
    if (error instanceof EngineError && error.code === 'context-rejected') return undefined;
    throw error;
  }
}
