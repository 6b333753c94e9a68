import { chmod, lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ADMIN_TOKEN_NAME, SOCKET_NAME } from '../config/data-directory.ts';
import { EngineError } from '../model/engine-error.ts';
import { type DirectoryLock, HOLDER_NAME, lockDirectory } from '../store/directory-lock.ts';

/** The data directory of a daemon, taken for this process. */
export interface DataDirectory {
  readonly path: string;
  readonly database: string;
  readonly logs: string;
  readonly uploads: string;
  readonly work: string;
  readonly socket: string;
  readonly secretKey: string;
  readonly adminToken: string;
  readonly tasks: string;
  /** Says for others who has the directory. */
  describe(holder: { readonly url: string }): Promise<void>;
  release(): Promise<void>;
}

/** Makes and checks the directory (0700, of this user) and locks it. Throws `data-directory`. */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  await makePrivate(path);
  await checkPrivate(path);
  const lock: DirectoryLock = lockDirectory(path);
  const at = (name: string): string => join(path, name);
  const folders = { logs: at('logs'), uploads: at('uploads'), work: at('work'), tasks: at('tasks.d') };
  try {
    for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    lock.release();
    throw unusable(path, error);
  }
  return {
    path,
    ...folders,
    database: at('slipway.db'),
    socket: at(SOCKET_NAME),
    secretKey: at('secret.key'),
    adminToken: at(ADMIN_TOKEN_NAME),
    describe: async ({ url }) =>
      writeFile(at(HOLDER_NAME), `${JSON.stringify({ pid: process.pid, url, startedAt: new Date().toISOString() })}\n`, { mode: 0o600 }),
    release: async () => {
      await rm(at(HOLDER_NAME), { force: true });
      lock.release();
    },
  };
}

async function makePrivate(path: string): Promise<void> {
  try {
    const made = await mkdir(path, { recursive: true, mode: 0o700 });
    // The mask of the process may have taken bits of the mode, never added some.
    if (made !== undefined) await chmod(path, 0o700);
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Throws `data-directory` unless the directory belongs to this user and to nobody else. */
export async function checkPrivate(path: string): Promise<void> {
  const { mode, uid } = await lstat(path).catch((error: unknown) => {
    throw unusable(path, error);
  });
  const open = mode & 0o077;
  if (process.platform === 'win32') return;
  if (uid !== process.getuid?.()) {
    throw new EngineError('data-directory', `${path} belongs to user ${uid}, not to the user of this process (${process.getuid?.()})`, {
      help: `Start the daemon as its owner, or change it: \`chown -R USER ${path}\`.`,
    });
  }
  if (open !== 0) {
    throw new EngineError('data-directory', `${path} is open to other users (mode ${(mode & 0o777).toString(8)})`, {
      help: `Close it: \`chmod 700 ${path}\`. It holds the key of all secrets.`,
    });
  }
}

function unusable(path: string, error: unknown): EngineError {
  return new EngineError(
    'data-directory',
    `${path} cannot be used as a data directory: ${error instanceof Error ? error.message : String(error)}`,
    {
      cause: error,
    },
  );
}
