import BetterSqlite from 'better-sqlite3';
import { EngineError } from '../../model/engine-error.ts';

/** SQLite's words for a full disk; the last is the index of the log that cannot grow. */
const FULL = new Set(['SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE']);

/** What a caller of the store sees of an error of SQLite. Errors that are not SQLite's (defects, EngineErrors) stay what they are. */
export function storeError(error: unknown, path: string): unknown {
  if (!(error instanceof BetterSqlite.SqliteError)) return error;
  const { code } = error;
  if (FULL.has(code)) {
    return new EngineError('disk-full', `The disk of the database ${path} is full; nothing of this change was stored.`, {
      cause: error,
      transient: true,
    });
  }
  const transient = code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED') || code.startsWith('SQLITE_IOERR');
  return new EngineError('store-failed', `${sentenceOf(code, path)} (${code}: ${error.message})`, { cause: error, transient });
}

/** Such an error ends the whole transaction; others end only the statement. */
export function endsTransaction(error: unknown): boolean {
  return error instanceof BetterSqlite.SqliteError && !error.code.startsWith('SQLITE_CONSTRAINT');
}

function sentenceOf(code: string, path: string): string {
  if (code.startsWith('SQLITE_NOTADB'))
    return `${path} is no database of this program: it holds something else, or its beginning is damaged.`;
  if (code.startsWith('SQLITE_CORRUPT')) return `The database ${path} is damaged.`;
  if (code.startsWith('SQLITE_READONLY')) return `The database ${path} cannot be written: the file or its disk is read-only.`;
  if (code.startsWith('SQLITE_CANTOPEN')) return `The database ${path} cannot be opened.`;
  if (code.startsWith('SQLITE_BUSY')) return `Another process holds the database ${path} for longer than 5 s.`;
  return `The database ${path} failed.`;
}
