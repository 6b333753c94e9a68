import { createHash, randomBytes } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../model/engine-error.ts';
import type { Clock } from '../model/ports/clock.ts';
import type { UploadStore } from '../model/ports/upload-store.ts';
import { diskError, systemCode } from './disk-error.ts';
import { writeAll } from './write-all.ts';

const SHA256 = /^[0-9a-f]{64}$/;
const PARTIAL = '.partial';

/**
 * Uploaded contexts as files named by their hash. The time of a file's last use is its modification time. A file has its name only when
 * it is whole and synced; what a crash left half sent is removed by `prune`.
 */
export function createFileUploadStore({ directory, clock }: { readonly directory: string; readonly clock: Clock }): UploadStore {
  const pathOf = (sha256: string): string => join(directory, checked(sha256));
  const touch = async (path: string): Promise<boolean> => {
    const now = clock.now();
    return found(utimes(path, now, now));
  };

  return {
    has: (sha256) => guarded('look for an upload', async () => touch(pathOf(sha256))),
    put: (sha256, content, limits) =>
      guarded('store an upload', async () => {
        const path = pathOf(sha256);
        await mkdir(directory, { recursive: true, mode: 0o700 });
        // A name of its own for each sender: the last to finish gives the file its name, and both sent the same bytes.
        const partial = `${path}.${randomBytes(8).toString('hex')}${PARTIAL}`;
        try {
          const bytes = await receive(partial, sha256, content, limits);
          await rename(partial, path);
          await touch(path);
          return { bytes };
        } catch (error) {
          await rm(partial, { force: true });
          throw error;
        }
      }),
    open: (sha256) =>
      guarded('read an upload', async () => {
        const path = pathOf(sha256);
        if (!(await touch(path)))
          throw new EngineError('context-failed', `the uploaded context ${sha256} is not here (any more): send it again`);
        const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
        return createReadStream('', { fd: handle, highWaterMark: 256 * 1024 });
      }),
    prune: ({ before, keep }) => guarded('remove old uploads', () => prune(directory, Date.parse(before), keep)),
    size: () =>
      guarded('read the folder of uploads', async () => {
        let bytes = 0;
        for (const file of await filesIn(directory)) bytes += file.bytes;
        return bytes;
      }),
  };
}

function checked(sha256: string): string {
  if (SHA256.test(sha256)) return sha256;
  throw new EngineError(
    'context-rejected',
    `${JSON.stringify(sha256.slice(0, 80))} is not a SHA-256: expected 64 characters of 0-9 and a-f`,
  );
}

async function receive(
  path: string,
  sha256: string,
  content: AsyncIterable<Uint8Array>,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<number> {
  const hash = createHash('sha256');
  const file = await open(path, 'wx', 0o600);
  let bytes = 0;
  try {
    for await (const chunk of content) {
      signal.throwIfAborted();
      if (bytes + chunk.length > maxBytes) {
        const help = 'Leave out what the build does not need (`.dockerignore`), or let an admin raise the limit of uploads.';
        throw new EngineError('context-rejected', `the uploaded context is larger than the ${maxBytes} bytes that are allowed`, { help });
      }
      hash.update(chunk);
      await writeAll(file, [chunk], bytes);
      bytes += chunk.length;
    }
    signal.throwIfAborted();
    const actual = hash.digest('hex');
    if (actual !== sha256)
      throw new EngineError('context-rejected', `the uploaded context has the SHA-256 ${actual}, not ${sha256} as said`);
    await file.sync();
  } finally {
    await file.close();
  }
  return bytes;
}

async function prune(directory: string, before: number, keep: ReadonlySet<string>): Promise<{ files: number; bytes: number }> {
  const freed = { files: 0, bytes: 0 };
  for (const file of await filesIn(directory)) {
    if (file.usedAt >= before || keep.has(file.name)) continue;
    await rm(join(directory, file.name), { force: true });
    freed.files += 1;
    freed.bytes += file.bytes;
  }
  return freed;
}

interface StoredFile {
  readonly name: string;
  readonly bytes: number;
  readonly usedAt: number;
}

/** Whole uploads and those being sent; nothing else that somebody may have put there. */
async function filesIn(directory: string): Promise<readonly StoredFile[]> {
  const files: StoredFile[] = [];
  for (const name of await namesIn(directory)) {
    if (!SHA256.test(name) && !name.endsWith(PARTIAL)) continue;
    try {
      const { size, mtimeMs } = await stat(join(directory, name));
      files.push({ name, bytes: size, usedAt: mtimeMs });
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }
  return files;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function found(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function guarded<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isSystemError(error) ? diskError(what, error) : error;
  }
}

/** An errno of a file operation; an AbortError and the sender's own errors stay what they are. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}
