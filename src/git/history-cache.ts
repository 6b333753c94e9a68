import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
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
  prune(root: string, options: PruneOptions): Promise<number>;
}

export interface PruneOptions {
  /** Whether a remote is still needed, without credentials. Asked for when there is a cache only. */
  findNeeded(): Promise<(remote: string) => boolean>;
  /** Most caches that are removed. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

const MOST_CACHES = 200;
/** Bytes, and files, of one cache. */
const MOST_BYTES = 1024 ** 3;
const MOST_FILES = 5000;
const NAME = /^[0-9a-f]{40}\.git$/;
/** Within a cache: the remote that it is of, without credentials. Names of caches tell nothing. */
const REMOTE_FILE = 'slipway-remote';

type Environment = Readonly<Record<string, string | undefined>>;

export function createHistoryCaches(environment: Environment): HistoryCaches {
  const turns = new Turns();
  return {
    use: (root, request, work) => {
      const directory = join(root, cacheName(request));
      return turns.take(directory, () => useCache({ root, directory, environment }, request, work, turns));
    },
    prune: (root, options) => prune(root, options, turns),
  };
}

/** One at a time for each directory. */
class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  get idle(): boolean {
    return this.#last.size === 0;
  }

  has(directory: string): boolean {
    return this.#last.has(directory);
  }

  take<T>(directory: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(directory) ?? Promise.resolve()).then(work);
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(directory, settled);
    void settled.then(() => this.#last.get(directory) === settled && this.#last.delete(directory));
    return turn;
  }
}

/** Removes a cache that nobody uses; who wants to use it meanwhile waits and makes it anew. */
async function removeIdle(directory: string, turns: Turns): Promise<void> {
  if (!turns.has(directory)) await turns.take(directory, () => rm(directory, { recursive: true, force: true }));
}

async function prune(root: string, { findNeeded, limit, signal }: PruneOptions, turns: Turns): Promise<number> {
  const names = (await readdir(root).catch(() => [])).filter((name) => NAME.test(name));
  if (names.length === 0) return 0;
  const isNeeded = await findNeeded();
  let removed = 0;
  for (const name of names) {
    // Another pass follows at a time when no question waits.
    if (removed === limit || signal.aborted || !turns.idle) break;
    const directory = join(root, name);
    const remote = await readFile(join(directory, REMOTE_FILE), 'utf8').catch(() => undefined);
    if ((remote !== undefined && isNeeded(remote)) || !turns.idle) continue;
    await removeIdle(directory, turns);
    removed += 1;
  }
  return removed;
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
  turns: Turns,
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

async function makeRepository(directory: string, { url, longIds, signal }: CacheRequest, environment: Environment): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(join(directory, REMOTE_FILE), url.remote, { mode: 0o600 });
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

async function removeOldest(root: string, turns: Turns): Promise<void> {
  const names = (await readdir(root)).filter((name) => NAME.test(name));
  if (names.length <= MOST_CACHES) return;
  const ages = await Promise.all(
    names.map(async (name) => ({ path: join(root, name), usedAt: (await stat(join(root, name)).catch(() => undefined))?.mtimeMs ?? 0 })),
  );
  const idle = ages.filter(({ path }) => !turns.has(path)).sort((a, b) => a.usedAt - b.usedAt);
  for (const { path } of idle.slice(0, names.length - MOST_CACHES)) await removeIdle(path, turns);
}
