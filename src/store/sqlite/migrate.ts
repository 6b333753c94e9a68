import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import type { Database as Connection } from 'better-sqlite3';
import type { Kysely } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { EngineError } from '../../model/engine-error.ts';
import type { StoreTables } from '../tables.ts';
import { APPLICATION_ID } from './migrations.ts';

const MIGRATION_TABLE = 'schema_migrations';

/**
 * Brings a database to the newest of `migrations`, in one transaction. An existing one is checked and copied to `<path>.before-<n>` first, `n`
 * being the number of the first migration that it lacks. Rejects with EngineError `store-failed` for a file that is not ours or newer than we.
 */
export async function migrate(
  connection: Connection,
  queries: Kysely<StoreTables>,
  path: string,
  migrations: Readonly<Record<string, Migration>>,
): Promise<void> {
  const done = doneMigrations(connection, path);
  const unknown = done.filter((name) => !Object.hasOwn(migrations, name));
  if (unknown.length > 0) {
    const newest = Object.keys(migrations).sort().at(-1);
    const message = `The database ${path} was written by a newer version: it has ${unknown.join(', ')}, and this version knows up to ${newest}.`;
    throw new EngineError('store-failed', message, {
      help: `Use that version again, or put back the copy that it made before it changed the database (${path}.before-…).`,
    });
  }
  const [first] = Object.keys(migrations)
    .sort()
    .filter((name) => !done.includes(name));
  if (first === undefined) return;
  if (done.length > 0) {
    checkWhole(connection, path);
    backUp(connection, `${path}.before-${Number.parseInt(first, 10)}`);
  }
  const migrator = new Migrator({
    db: queries,
    provider: { getMigrations: async () => ({ ...migrations }) },
    migrationTableName: MIGRATION_TABLE,
    migrationLockTableName: `${MIGRATION_TABLE}_lock`,
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}

/** Names of the migrations that the file has; none for a new file. */
function doneMigrations(connection: Connection, path: string): readonly string[] {
  const tables = connection.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).pluck().all();
  if (tables.length === 0) return [];
  const ours = connection.pragma('application_id', { simple: true }) === APPLICATION_ID;
  // Kysely makes its own tables before the transaction of the first migration: a first start that was cut off there may go on.
  const begun = tables.every((name) => String(name).startsWith(MIGRATION_TABLE));
  if (!ours && !begun) {
    throw new EngineError('store-failed', `${path} is a database of another program.`, { help: 'Name another data directory.' });
  }
  if (!tables.includes(MIGRATION_TABLE)) return [];
  return connection.prepare(`SELECT name FROM ${MIGRATION_TABLE} ORDER BY name`).pluck().all().map(String);
}

function checkWhole(connection: Connection, path: string): void {
  const found = connection.pragma('quick_check(1)', { simple: true });
  if (found !== 'ok') throw new EngineError('store-failed', `The database ${path} is damaged: ${String(found)}`);
}

/** A copy of what is committed, readable by the owner only. A copy that an earlier attempt left is replaced. */
function backUp(connection: Connection, target: string): void {
  const unfinished = `${target}.unfinished`;
  rmSync(unfinished, { force: true });
  closeSync(openSync(unfinished, 'wx', 0o600));
  try {
    connection.prepare('VACUUM INTO ?').run(unfinished);
    renameSync(unfinished, target);
  } finally {
    rmSync(unfinished, { force: true });
  }
}
