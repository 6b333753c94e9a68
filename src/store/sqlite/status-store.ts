import { type Selectable, type SqlBool, sql } from 'kysely';
import type { CommitStatus, CommitStatusRow, StatusStore } from '../../model/ports/status-store.ts';
import { hostOfRepository } from '../../util/repository-url.ts';
import { storedTime, timeAfter } from '../stored-time.ts';
import type { StoreTables } from '../tables.ts';
import type { Database } from './database.ts';

type StatusRow = Selectable<StoreTables['commit_statuses']>;

export function createStatusStore(database: Database, now: () => string): StatusStore {
  const statements = createStatements(database);
  return {
    put: (status) =>
      database.write(() => {
        const { key, run, state } = status;
        const host = hostOfRepository(status.repositoryUrl);
        const row = statements.one.get({ key });
        if (row !== undefined && !replaces(status, row)) return;
        statements.put.run({ key, run, state, host, status: JSON.stringify(status), version: (row?.version ?? 0) + 1, now: now() });
      }),
    due: ({ limit, leaseMs, exceptHosts = [] }) =>
      database.write(() => {
        const at = now();
        const rows = statements.due.all({ now: at, limit, except: JSON.stringify(exceptHosts) });
        for (const { key } of rows) statements.lease.run({ key, leased: timeAfter(at, leaseMs) });
        return rows.map(statusOf);
      }),
    delivered: (key, version) =>
      database.write(() => {
        statements.delivered.run({ key, version, now: now() });
      }),
    failed: (key, version, { error, nextAttempt }) =>
      database.write(() => {
        const failure = { key, version, error };
        if (nextAttempt === undefined) statements.giveUp.run({ ...failure, now: now() });
        else statements.retry.run({ ...failure, next_attempt: storedTime(nextAttempt) });
      }),
    ofRun: (run) => database.read(() => statements.ofRun.all({ run }).map(statusOf)),
    prune: (before) => database.write(() => statements.prune.run({ before: storedTime(before) })),
  };
}

const PASSING: ReadonlySet<string> = new Set(['queued', 'running'] satisfies readonly CommitStatus['state'][]);

/** Ids of runs sort in the order of creation. What is told late of a run that has ended is over. */
function replaces({ run, state }: CommitStatus, row: StatusRow): boolean {
  if (run !== row.run) return run > row.run;
  return state !== row.state && (PASSING.has(row.state) || !PASSING.has(state));
}

function statusOf(row: StatusRow): CommitStatusRow {
  const status: CommitStatus = JSON.parse(row.status);
  return {
    ...status,
    version: row.version,
    delivered: row.delivered,
    attempts: row.attempts,
    nextAttempt: row.next_attempt,
    ...(row.error === null ? {} : { error: row.error }),
  };
}

type NewStatus = Pick<StatusRow, 'key' | 'run' | 'state' | 'status' | 'version' | 'host'> & { readonly now: string };
interface Failure {
  readonly key: string;
  readonly version: number;
  readonly error: string;
}

function createStatements(database: Database) {
  return { ...statusStatements(database), ...deliveryStatements(database) };
}

function statusStatements({ queries, prepared }: Database) {
  return {
    one: prepared<{ key: string }>()((param) => queries.selectFrom('commit_statuses').selectAll().where('key', '=', param('key'))),
    ofRun: prepared<{ run: string }>()((param) =>
      queries.selectFrom('commit_statuses').selectAll().where('run', '=', param('run')).orderBy('key'),
    ),
    /** A delivery that is under way keeps its lease: two at once could arrive the wrong way round. */
    put: prepared<NewStatus>()((param) =>
      queries
        .insertInto('commit_statuses')
        .values({
          ...{ key: param('key'), run: param('run'), state: param('state'), status: param('status'), version: param('version') },
          ...{ host: param('host'), delivered: 0, given_up: 0, attempts: 0, next_attempt: param('now'), changed: param('now') },
        })
        .onConflict((conflict) =>
          conflict.column('key').doUpdateSet({
            ...{ run: param('run'), state: param('state'), status: param('status'), version: param('version'), host: param('host') },
            ...{ attempts: 0, next_attempt: param('now'), error: null, changed: param('now') },
          }),
        ),
    ),
    prune: prepared<{ before: string }>()((param) =>
      queries
        .deleteFrom('commit_statuses')
        .where(sql<SqlBool>`(delivered >= version or given_up >= version)`)
        .where('changed', '<', param('before')),
    ),
  };
}

function deliveryStatements({ queries, prepared }: Database) {
  return {
    due: prepared<{ now: string; limit: number; except: string }>()((param) =>
      queries
        .selectFrom('commit_statuses')
        .selectAll()
        .where(sql<SqlBool>`delivered < version and given_up < version`)
        .where('next_attempt', '<=', param('now'))
        .where((eb) => eb.or([eb('leased', 'is', null), eb('leased', '<=', param('now'))]))
        .where(sql<SqlBool>`ifnull(host, '') not in (select value from json_each(${param('except')}))`)
        .orderBy('next_attempt')
        .limit(param('limit')),
    ),
    lease: prepared<{ key: string; leased: string }>()((param) =>
      queries
        .updateTable('commit_statuses')
        .set({ leased: param('leased') })
        .where('key', '=', param('key')),
    ),
    /** Of an older version, the newer one goes out next. */
    delivered: prepared<{ key: string; version: number; now: string }>()((param) =>
      queries
        .updateTable('commit_statuses')
        .set({
          delivered: sql<number>`max(delivered, min(version, ${param('version')}))`,
          ...{ leased: null, attempts: 0, error: null, changed: param('now') },
        })
        .where('key', '=', param('key')),
    ),
    retry: prepared<Failure & { readonly next_attempt: string }>()((param) =>
      queries
        .updateTable('commit_statuses')
        .set({
          attempts: sql<number>`attempts + (version = ${param('version')})`,
          ...{ leased: null, error: param('error'), next_attempt: param('next_attempt') },
        })
        .where('key', '=', param('key')),
    ),
    giveUp: prepared<Failure & { readonly now: string }>()((param) =>
      queries
        .updateTable('commit_statuses')
        .set({
          given_up: sql<number>`max(given_up, ${param('version')})`,
          attempts: sql<number>`attempts + (version = ${param('version')})`,
          ...{ leased: null, error: param('error'), changed: param('now') },
        })
        .where('key', '=', param('key')),
    ),
  };
}
