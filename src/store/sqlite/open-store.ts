import { closeSync, openSync } from 'node:fs';
import BetterSqlite, { type Database as Connection } from 'better-sqlite3';
import { Kysely, SqliteAdapter, SqliteDialect } from 'kysely';
import type { Migration } from 'kysely/migration';
import { EngineError } from '../../model/engine-error.ts';
import type { Clock } from '../../model/ports/clock.ts';
import type { Store } from '../../model/ports/store.ts';
import { systemClock } from '../../util/clock.ts';
import type { StoreTables } from '../tables.ts';
import { createAuditStore } from './audit-store.ts';
import { checkLength } from './check-length.ts';
import { createClockSetBack } from './clock-set-back.ts';
import { createDatabase } from './database.ts';
import { createEventStore } from './event-store.ts';
import { createEventWrites } from './event-writes.ts';
import { createGitWatchStore } from './git-watch-store.ts';
import { createHookStore } from './hook-store.ts';
import { createIdempotencyStore } from './idempotency-store.ts';
import { createImageWatchStore } from './image-watch-store.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';
import { createRunStore } from './run-store.ts';
import { createSecretStore } from './secret-store.ts';
import { createSettingStore } from './setting-store.ts';
import { createStatusStore } from './status-store.ts';
import { storeError } from './store-error.ts';
import { createTaskSettings } from './task-settings.ts';
import { createTaskStore } from './task-store.ts';
import { createTimerStore } from './timer-store.ts';
import { createTokenStore } from './token-store.ts';

const BUSY_TIMEOUT_MS = 5000;

/**
 * Opens the state of a daemon in one SQLite file, makes it (0600) when there is none, and brings it up to date. Rejects with EngineError
 * `store-failed` (damaged, another program's, a newer version's, read-only) or `disk-full`. `migrations` are all of this version unless given.
 */
export async function openSqliteStore(options: {
  readonly path: string;
  readonly clock?: Clock;
  readonly migrations?: Readonly<Record<string, Migration>>;
}): Promise<Store> {
  const { path, clock = systemClock, migrations = MIGRATIONS } = options;
  let connection: Connection | undefined;
  try {
    connection = connect(path);
    const queries = queriesOf(connection);
    await migrate(connection, queries, path, migrations);
    return await createStore(connection, queries, path, () => clock.now().toISOString());
  } catch (error) {
    connection?.close();
    throw storeError(error, path);
  }
}

async function createStore(connection: Connection, queries: Kysely<StoreTables>, path: string, now: () => string): Promise<Store> {
  const database = createDatabase(connection, queries, path);
  const taskSettings = createTaskSettings(database);
  await taskSettings.removeLeftOver();
  const events = createEventWrites(database, now);
  const ping = database.prepared<{ at: string }>()((param) => queries.replaceInto('pings').values({ id: 1, at: param('at') }));
  return {
    tasks: createTaskStore(database, taskSettings, now),
    runs: createRunStore(database, events, now),
    tokens: createTokenStore(database, now),
    secrets: createSecretStore(database),
    audit: createAuditStore(database, now),
    settings: createSettingStore(database),
    idempotency: createIdempotencyStore(database, now),
    events: createEventStore(database, events, now),
    hooks: createHookStore(database),
    gitWatch: createGitWatchStore(database, events, now),
    imageWatch: createImageWatchStore(database, events, now),
    timers: createTimerStore(database, events),
    statuses: createStatusStore(database, now),
    ...createClockSetBack(database, now),
    ping: () =>
      database.write(() => {
        ping.run({ at: now() });
      }),
    close: () => database.close(),
  };
}

function connect(path: string): Connection {
  makeFile(path);
  checkLength(path);
  const connection = new BetterSqlite(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    connection.pragma('journal_mode = WAL');
    connection.pragma('synchronous = FULL');
    connection.pragma('foreign_keys = ON');
    connection.pragma('wal_autocheckpoint = 1000');
    connection.pragma('journal_size_limit = 67108864');
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Secrets are sealed, but nobody else needs to read the rest either; SQLite gives the files beside it the same rights. */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, 'a', 0o600));
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC')
      throw new EngineError('disk-full', `There is no room for the database ${path}.`, { cause: error, transient: true });
    throw new EngineError('store-failed', `The database ${path} cannot be opened for writing: ${message}`, { cause: error });
  }
}

/** Kysely migrates in a transaction only where its adapter allows it; SQLite can change tables in one. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class TransactionalDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter();
  }
}

/** Builds queries, and runs those of migrations: what it begins takes the lock for writing at once. */
function queriesOf(connection: Connection): Kysely<StoreTables> {
  const database = {
    close: () => undefined,
    prepare: (text: string) => connection.prepare(text === 'begin' ? 'begin immediate' : text),
  };
  return new Kysely<StoreTables>({ dialect: new TransactionalDialect({ database }) });
}
