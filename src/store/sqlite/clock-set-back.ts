import { type Compilable, sql } from 'kysely';
import type { Store } from '../../model/ports/store.ts';
import { timeAfter } from '../stored-time.ts';
import type { Database, Statement } from './database.ts';

/** No lease is longer: one that is was given by the clock of before. */
const LONGEST_LEASE_MS = 600_000;

/** Brought forward by as much as the clock was set back. `9999`: never due. Timers stand by the wall, and stay. */
const DUE = [
  ['trigger_events', 'retry', `status = 'pending'`],
  ['commit_statuses', 'next_attempt', 'delivered < version AND given_up < version'],
  ['watched_repositories', 'next_check', `next_check < '9999'`],
  ['image_targets', 'next_check', `next_check < '9999'`],
] as const;
const LEASED = ['commit_statuses', 'watched_repositories', 'image_targets'] as const;

interface Change {
  readonly now: string;
  /** As SQLite takes it: `-3600 seconds`. */
  readonly by: string;
  /** The end of the longest lease. */
  readonly longest: string;
}

export function createClockSetBack(database: Database, now: () => string): Pick<Store, 'clockSetBack'> {
  const statement = (text: string): Statement<Change, unknown> =>
    database.prepared<Change>()((): Compilable<unknown> => ({ compile: () => sql.raw(text).compile(database.queries) }));
  const statements = [
    ...DUE.map(([table, column, of]) =>
      statement(
        `UPDATE ${table} SET ${column} = max(@now, strftime('%Y-%m-%dT%H:%M:%fZ', ${column}, @by)) WHERE ${of} AND ${column} > @now`,
      ),
    ),
    ...LEASED.map((table) => statement(`UPDATE ${table} SET leased = @now WHERE leased > @longest`)),
  ];
  return {
    clockSetBack: (byMs) =>
      database.write(() => {
        const at = now();
        const change = { now: at, by: `-${byMs / 1000} seconds`, longest: timeAfter(at, LONGEST_LEASE_MS) };
        for (const each of statements) each.run(change);
      }),
  };
}
