import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventQuery } from '../../src/model/ports/event-store.ts';
import { eventPage } from '../../src/store/sqlite/event-list.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { useOwnTmpdir } from '../support/own-tmpdir.ts';

useOwnTmpdir();

const FILTERS: readonly Partial<EventQuery>[] = [
  { task: 'app' },
  { origin: 'webhook' },
  { kind: 'push' },
  { since: '2030-01-01T00:00:00Z' },
  { before: 500 },
];
/** Every combination of filters. */
const QUERIES: readonly EventQuery[] = Array.from({ length: 2 ** FILTERS.length }, (_, chosen) =>
  Object.assign({ limit: 15 }, ...FILTERS.filter((_filter, index) => (chosen & (2 ** index)) !== 0)),
);
const INDEXES = {
  all: 'COVERING INDEX trigger_events_by_number',
  pending: '(COVERING )?INDEX trigger_events_pending',
  failed: 'COVERING INDEX trigger_events_failed',
  settled: 'COVERING INDEX trigger_events_by_number',
} as const;

describe('plans of SQLite for lists of events', () => {
  let connection: BetterSqlite.Database;
  let queries: Kysely<unknown>;

  beforeAll(async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'store-')), 'slipway.db');
    await (await openSqliteStore({ path })).close();
    connection = new BetterSqlite(path);
    queries = new Kysely({ dialect: new SqliteDialect({ database: connection }) });
  });
  afterAll(() => {
    connection.close();
  });

  function planOf(query: EventQuery): readonly string[] {
    const { sql, parameters } = eventPage(query).compile(queries);
    const rows = connection.prepare<unknown[], { readonly detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters);
    return rows.map(({ detail }) => detail);
  }

  it.each(['all', 'pending', 'failed', 'settled'] as const)(
    '%s: only the index of their status is read, and nothing is sorted',
    (status) => {
      for (const filters of QUERIES) {
        const plan = planOf(status === 'all' ? filters : { ...filters, status });
        const onEvents = plan.filter((line) => / e /.test(line));
        expect(onEvents.length).toBe(1);
        const way = filters.task === undefined ? '(SCAN|SEARCH)' : 'SEARCH';
        expect(onEvents[0]).toMatch(new RegExp(`^${way} e USING ${INDEXES[status]}`));
        expect(plan.filter((line) => line.includes('TEMP B-TREE FOR ORDER BY'))).toEqual([]);
      }
    },
  );
});
