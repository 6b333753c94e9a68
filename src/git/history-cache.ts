import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { createGitCommand } from './git-command.ts';
import type { GitUrl } from './git-url.ts';

/** A bare repository that keeps commits and trees of a remote between questions. */
interface HistoryCache {
  readonly directory: string;
  readonly isNew: boolean;
  /** Makes it anew after it was removed. */
  make(): Promise<void>;
}

export interface CacheRequest {
  readonly url: GitUrl;
  /** SHA-256 ids. */
  readonly longIds: boolean;
  readonly signal: AbortSignal;
}

export interface HistoryCaches {
  /** One user at a time for each remote. A cache that has grown too large is removed afterwards, as is the one that was not used for longest. */
  use<T>(root: string, request: CacheRequest, work: (cache: HistoryCache) => Promise<T>): Promise<T>;
}

const MOST_CACHES = 200;
/** Bytes, and files, of one cache. */
const MOST_BYTES = 1024 ** 3;
const MOST_FILES = 5000;
const NAME = /^[0-9a-f]{40}\.git$/;

type Environment = Readonly<Record<string, string | undefined>>;

export function createHistoryCaches(environment: Environment): HistoryCaches {
  const turns = new Map<string, Promise<unknown>>();
  return {
    use: (root, request, work) => {
      const directory = join(root, cacheName(request));
      const turn = (turns.get(directory) ?? Promise.resolve()).then(() => useCache({ root, directory, environment }, request, work, turns));
      const settled = turn.then(
        () => undefined,
        () => undefined,
      );
      turns.set(directory, settled);
      void settled.then(() => turns.get(directory) === settled && turns.delete(directory));
      return turn;
    },
  };
}

/** Who may not read a remote does not read what another fetched from it. */
function cacheName({ url, longIds }: CacheRequest): string {
  const identity = JSON.stringify([url.remote, url.credentials?.username, url.credentials?.password, longIds]);
  return `${createHash('sha256').update(identity).digest('hex').slice(0, 40)}.git`;
}

interface Place {
  readonly root: string;
  readonly directory: string;
  readonly environment: Environment;
}

async function useCache<T>(
  { root, directory, environment }: Place,
  request: CacheRequest,
  work: (cache: HistoryCache) => Promise<T>,
  turns: ReadonlyMap<string, unknown>,
): Promise<T> {
  request.signal.throwIfAborted();
  const isNew = !(await stat(directory).then(
    () => true,
    () => false,
  ));
  const make = (): Promise<void> => makeRepository(directory, request, environment);
  try {
    if (isNew) await make();
    else await utimes(directory, new Date(), new Date());
    return await work({ directory, isNew, make });
  } finally {
    if (await isTooLarge(directory)) await rm(directory, { recursive: true, force: true });
    if (isNew) await removeOldest(root, turns);
  }
}

async function makeRepository(directory: string, { longIds, signal }: CacheRequest, environment: Environment): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const git = await createGitCommand({ directory, protocols: [], environment, signal, isolated: true });
  await git.run(['init', '--bare', '--template=', `--object-format=${longIds ? 'sha256' : 'sha1'}`]);
}

async function isTooLarge(directory: string): Promise<boolean> {
  let bytes = 0;
  let files = 0;
  for (const entry of await readdir(directory, { recursive: true }).catch(() => [])) {
    const found = await stat(join(directory, entry)).catch(() => undefined);
    bytes += found?.size ?? 0;
    files += 1;
    if (bytes > MOST_BYTES || files > MOST_FILES) return true;
  }
  return false;
}

async function removeOldest(root: string, inUse: ReadonlyMap<string, unknown>): Promise<void> {
  const names = (await readdir(root)).filter((name) => NAME.test(name));
  if (names.length <= MOST_CACHES) return;
  const ages = await Promise.all(
    names.map(async (name) => ({ path: join(root, name), usedAt: (await stat(join(root, name)).catch(() => undefined))?.mtimeMs ?? 0 })),
  );
  const idle = ages.filter(({ path }) => !inUse.has(path)).sort((a, b) => a.usedAt - b.usedAt);
  for (const { path } of idle.slice(0, names.length - MOST_CACHES)) await rm(path, { recursive: true, force: true });
}
