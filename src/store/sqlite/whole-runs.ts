import type { Kysely, SelectQueryBuilder } from 'kysely';
import type { WholeRunRow } from '../run-rows.ts';
import type { StoreTables } from '../tables.ts';

type JoinedTables = StoreTables & {
  readonly r: StoreTables['runs'];
  readonly s: StoreTables['run_states'];
  readonly q: StoreTables['run_requests'];
};

/** Runs (`r`) with all their documents (`s`, `q`): what a RunRecord is made of. */
export function wholeRuns(queries: Kysely<StoreTables>): SelectQueryBuilder<JoinedTables, 'r' | 's' | 'q', WholeRunRow> {
  return queries
    .selectFrom('runs as r')
    .innerJoin('run_states as s', 's.run', 'r.number')
    .innerJoin('run_requests as q', 'q.run', 'r.number')
    .selectAll('r')
    .select(['s.steps', 's.images', 's.source', 's.error', 's.made', 'q.request']);
}
