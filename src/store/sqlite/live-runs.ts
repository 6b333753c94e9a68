import { sql } from 'kysely';
import type { RunRecord, RunRequest } from '../../model/run-record.ts';
import { runRecordOf, type WholeRunRow } from '../run-rows.ts';
import type { Database } from './database.ts';
import { wholeRuns } from './whole-runs.ts';

/** The runs that have not ended, oldest first; what did not change since the last call is not read again. */
export interface LiveRuns {
  /** Within a change of the run: it is to be read again. */
  touch(number: number): void;
  /** Likewise, with its request, which changes when another happening joins the run. */
  touchWhole(number: number): void;
  list(): readonly RunRecord[];
}

export function createLiveRuns(database: Database): LiveRuns {
  const live = sql<boolean>`r.status in ('Queued', 'Started', 'Running')`;
  const all = database.prepared<Record<never, never>>()(() => wholeRuns(database.queries).where(live).orderBy('r.number'));
  const one = database.prepared<{ number: number }>()((param) =>
    wholeRuns(database.queries).where(live).where('r.number', '=', param('number')),
  );
  const known = new Map<number, RunRecord>();
  const touched = new Set<number>();
  const changedRequests = new Set<number>();
  let version: number | undefined;

  function keep(row: WholeRunRow): void {
    const request: RunRequest | undefined = changedRequests.has(row.number) ? undefined : known.get(row.number)?.request;
    known.set(row.number, runRecordOf(row, request));
  }

  function readTouched(): void {
    // In the order of numbers, so that new runs come last in the map.
    for (const number of [...touched].sort((left, right) => left - right)) {
      const row = one.get({ number });
      if (row === undefined) known.delete(number);
      else keep(row);
    }
  }

  return {
    touch(number) {
      touched.add(number);
    },
    touchWhole(number) {
      touched.add(number);
      changedRequests.add(number);
    },
    list() {
      const current = database.foreignVersion();
      if (current === version) readTouched();
      else {
        known.clear();
        for (const row of all.all({})) keep(row);
      }
      version = current;
      touched.clear();
      changedRequests.clear();
      return [...known.values()];
    },
  };
}
