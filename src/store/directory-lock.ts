import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { EngineError } from '../model/engine-error.ts';

const LOCK_NAME = 'lock.db';

export interface DirectoryLock {
  release(): void;
}

/**
 * Takes a data directory for this process alone. The lock is the operating system's (SQLite holds it on a file), so it ends with the
 * process however that ends, and a file that is left behind locks nobody out. Throws `data-directory` when another process has it.
 */
export function lockDirectory(directory: string): DirectoryLock {
  const database = new Database(join(directory, LOCK_NAME), { timeout: 0 });
  try {
    database.pragma('locking_mode = EXCLUSIVE');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!(error instanceof Database.SqliteError) || !error.code.startsWith('SQLITE_BUSY')) throw error;
    throw new EngineError('data-directory', `${directory} is in use by another daemon${describeHolder(directory)}`, {
      help: 'Stop that daemon, or give this one a data directory of its own with `--data DIR`.',
    });
  }
  return { release: () => database.close() };
}

/** Name of the file in which the daemon says how it is reached. */
export const HOLDER_NAME = 'daemon.json';

function describeHolder(directory: string): string {
  try {
    const holder: { pid?: unknown; url?: unknown } = JSON.parse(readFileSync(join(directory, HOLDER_NAME), 'utf8'));
    return ` (process ${String(holder.pid)}, ${String(holder.url)})`;
  } catch {
    return '';
  }
}
