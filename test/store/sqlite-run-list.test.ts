import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunQuery } from '../../src/model/ports/store.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { runPage } from '../../src/store/sqlite/run-list.ts';
import { useOwnTmpdir } from '../support/own-tmpdir.ts';

useOwnTmpdir();

const FILTERS: readonly Partial<RunQuery>[] = [
  { task: 'app' },
  { status: ['Failed', 'Error'] },
  { image: 'app:1' },
  { branch: 'main' },
  { commit: 'abcd' },
  { runType: 'AutoBuild' },
  { archived: true },
  { archived: false },
  { since: '2030-01-01T00:00:00Z', until: '2031-01-01T00:00:00Z' },
  { before: 500 },
];
/** Every combination of filters. */
const QUERIES: readonly RunQuery[] = Array.from({ length: 2 ** FILTERS.length }, (_, chosen) =>
  Object.assign({ limit: 15 }, ...FILTERS.filter((_filter, index) => (chosen & (2 ** index)) !== 0)),
);
const VISIBLE: readonly (readonly string[] | undefined)[] = [
  undefined,
  ['app', 'web'],
  Array.from({ length: 40 }, (_, index) => `task-${index}`),
];

describe('plans of SQLite for lists of runs', () => {
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

  function planOf(query: RunQuery, visible: readonly string[] | undefined): readonly string[] {
    const page = runPage(query, visible);
    if (page === undefined) throw new Error('the filters of this test can all match');
    const { sql, parameters } = page.compile(queries);
    const rows = connection.prepare<unknown[], { readonly detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters);
    return rows.map(({ detail }) => detail);
  }

  it('never read the table of runs from end to end, and sort nothing but what a commit matches', () => {
    for (const query of QUERIES) {
      for (const visible of VISIBLE) {
        const plan = planOf(query, visible);
        const onRuns = plan.filter((line) => / runs /.test(line));
        expect(onRuns.length).toBeGreaterThan(0);
        for (const line of onRuns) expect(line).toMatch(allowed(query, visible));
        const sorts = plan.filter((line) => line.includes('TEMP B-TREE FOR ORDER BY'));
        if (query.commit === undefined || query.image !== undefined) expect(sorts).toEqual([]);
      }
    }
  });
});

/** The one way to the runs that each kind of query may take. */
function allowed(query: RunQuery, visible: readonly string[] | undefined): RegExp {
  if (query.image !== undefined) return /^SEARCH runs USING PRIMARY KEY \(repository=\?/;
  if (query.commit !== undefined) return /^SEARCH runs USING COVERING INDEX runs_by_commit \(commit_sha>\? AND commit_sha<\?\)/;
  if (query.task !== undefined) return /^SEARCH runs USING COVERING INDEX runs_by_task \(task=\?/;
  if (query.branch !== undefined) return /^SEARCH runs USING COVERING INDEX runs_by_branch \(branch=\?/;
  if (query.archived === true) return /^(SCAN|SEARCH) runs USING COVERING INDEX runs_archived/;
  if (visible?.length === 2) return /^SEARCH runs USING COVERING INDEX runs_by_task \(task=\?/;
  if (query.status !== undefined) return /^SEARCH runs USING COVERING INDEX runs_by_status \(status=\?/;
  // In the order of the list, until the limit is met.
  return /^(SCAN|SEARCH) runs USING COVERING INDEX runs_by_number/;
}
