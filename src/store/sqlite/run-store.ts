import { type SqlBool, sql } from 'kysely';
import { IDEMPOTENCY_KEPT_MS, type RunStore } from '../../model/ports/store.ts';
import type { RunEvent, RunStatus } from '../../model/run-event.ts';
import { runIdOf, runNumberOf } from '../../model/run-id.ts';
import { runRecordOf } from '../run-rows.ts';
import type { Database } from './database.ts';
import type { EventWrites } from './event-writes.ts';
import { createFiringRetention } from './firing-retention.ts';
import { createImageRecords } from './image-records.ts';
import { createLiveRuns } from './live-runs.ts';
import { listRuns } from './run-list.ts';
import { createRunWrites } from './run-writes.ts';
import { wholeRuns } from './whole-runs.ts';

type Nothing = Readonly<Record<never, never>>;
type RunReads = Pick<RunStore, 'get' | 'held' | 'byKey' | 'sealed' | 'last' | 'checkpointOf' | 'events' | 'expired' | 'counts'>;

const NONE: Readonly<Record<RunStatus, number>> = {
  ...{ Queued: 0, Started: 0, Running: 0 },
  ...{ Succeeded: 0, Failed: 0, Canceled: 0, Error: 0, Timeout: 0 },
};

export function createRunStore(database: Database, events: EventWrites, now: () => string): RunStore {
  const live = createLiveRuns(database);
  return {
    ...createRunReads(database, now),
    ...createRunWrites(database, { live, events, images: createImageRecords(database) }, now),
    ...createFiringRetention(database),
    list: (query) => database.read(() => listRuns(database, query)),
    live: () => database.read(() => live.list()),
  };
}

function createRunReads(database: Database, now: () => string): RunReads {
  const statements = createReadStatements(database);

  /** Reads of one run; undefined when no run has such an id. */
  function find<Value>(id: string, work: (number: number) => Value | undefined): Promise<Value | undefined> {
    const number = runNumberOf(id);
    return number === undefined ? Promise.resolve(undefined) : database.read(() => work(number));
  }

  return {
    held: () => database.read(() => statements.held.all({}).map((row) => runRecordOf(row))),
    get: (id) =>
      find(id, (number) => {
        const row = statements.one.get({ number });
        return row === undefined ? undefined : runRecordOf(row);
      }),
    byKey: (key) =>
      database.read(() => {
        const since = new Date(Date.parse(now()) - IDEMPOTENCY_KEPT_MS).toISOString();
        const row = statements.byKey.get({ key, since });
        return row === undefined ? undefined : runRecordOf(row);
      }),
    sealed: (id) => find(id, (number) => statements.sealed.get({ number })?.sealed ?? undefined),
    last: (task) =>
      database.read(() => {
        const row = task === undefined ? statements.newest.get({}) : statements.newestOf.get({ task });
        return row === undefined ? undefined : runRecordOf(row);
      }),
    checkpointOf: (id) => find(id, (number) => statements.checkpoint.get({ number })),
    events: async (id, { after, limit }) => {
      const rows = await find(id, (number) => statements.events.all({ number, after, limit }));
      return (rows ?? []).map(({ json }): RunEvent => JSON.parse(json));
    },
    expired: ({ before, keep, limit }) =>
      database.read(() => {
        const beyond = keep === undefined ? [] : statements.beyond.all({ keep, limit });
        const numbers = new Set([...statements.aged.all({ before, limit }), ...beyond].map(({ number }) => number));
        return [...numbers].slice(0, limit).map(runIdOf);
      }),
    counts: () =>
      database.read(() => {
        const counts = { ...NONE };
        for (const { status, count } of statements.counts.all({})) counts[status] = count;
        return counts;
      }),
  };
}

function createReadStatements({ queries, prepared }: Database) {
  const ended = sql<SqlBool>`archived = 0 and status in ('Succeeded', 'Failed', 'Canceled', 'Error', 'Timeout')`;
  const newest = () => wholeRuns(queries).orderBy('r.number', 'desc').limit(1);
  return {
    one: prepared<{ number: number }>()((param) => wholeRuns(queries).where('r.number', '=', param('number'))),
    // Its index holds these runs alone, of however many that wait.
    held: prepared<Nothing>()(() =>
      wholeRuns(queries).where(sql<SqlBool>`r.hold is not null`).where('r.status', '=', 'Queued').orderBy('r.number'),
    ),
    newest: prepared<Nothing>()(newest),
    newestOf: prepared<{ task: string }>()((param) => newest().where('r.task', '=', param('task'))),
    byKey: prepared<{ key: string; since: string }>()((param) =>
      wholeRuns(queries).where('q.creation_key', '=', param('key')).where('r.created', '>', param('since')),
    ),
    sealed: prepared<{ number: number }>()((param) =>
      queries.selectFrom('run_requests').select('sealed').where('run', '=', param('number')),
    ),
    checkpoint: prepared<{ number: number }>()((param) =>
      queries.selectFrom('run_checkpoints').select('plan').where('run', '=', param('number')),
    ),
    events: prepared<{ number: number; after: number; limit: number }>()((param) =>
      queries
        .selectFrom('run_events')
        .select('json')
        .where('run', '=', param('number'))
        .where('seq', '>', param('after'))
        .orderBy('seq')
        .limit(param('limit')),
    ),
    aged: prepared<{ before: string; limit: number }>()((param) =>
      queries
        .selectFrom('runs')
        .select('number')
        .where(sql<SqlBool>`archived = 0`)
        .where('finished', '<', param('before'))
        .orderBy('finished')
        .limit(param('limit')),
    ),
    beyond: prepared<{ keep: number; limit: number }>()((param) =>
      queries
        .selectFrom('runs')
        .select('number')
        .where(ended)
        .where('number', '<=', (eb) =>
          eb.selectFrom('runs').select('number').where(ended).orderBy('number', 'desc').limit(1).offset(param('keep')),
        )
        .orderBy('number')
        .limit(param('limit')),
    ),
    counts: prepared<Nothing>()(() => queries.selectFrom('run_counts').selectAll()),
  };
}
