import { type Compilable, type SqlBool, sql } from 'kysely';
import { NEAR_KINDS, type NearKind } from '../../model/event-lane.ts';
import type { EventQuery, EventStore } from '../../model/ports/event-store.ts';
import type { TriggerDecision, TriggerEvent } from '../../model/trigger-event.ts';
import { decisionOf, eventNumberOf, triggerEventOf } from '../event-rows.ts';
import { storedTime } from '../stored-time.ts';
import type { Database } from './database.ts';
import { eventPage } from './event-list.ts';
import type { EventWrites } from './event-writes.ts';

const NONE: Readonly<Record<TriggerEvent['status'], number>> = { pending: 0, settled: 0, failed: 0 };

export function createEventStore(database: Database, writes: EventWrites, now: () => string): EventStore {
  const statements = createStatements(database);
  return {
    record: (events) => database.write(() => writes.record(events)),
    get: (id) =>
      database.read(() => {
        const number = eventNumberOf(id);
        const row = number === undefined ? undefined : statements.one.get({ number });
        return row === undefined ? undefined : triggerEventOf(row);
      }),
    list: (query) => database.read(() => listEvents(database, query)),
    pending: (limit, after = 0) => database.read(() => statements.pending.all({ now: now(), limit, after }).map(triggerEventOf)),
    waiting: ({ kind, after, limit }) =>
      database.read(() => {
        const query = { now: now(), after, limit };
        return (kind === 'far' ? statements.far.all(query) : statements.near.all({ ...query, kind })).map(triggerEventOf);
      }),
    waitingInLane: (query) => database.read(() => statements.ofLane.all({ ...query, now: now() }).map(triggerEventOf)),
    retriable: ({ kind, exceptLanes, ...query }) =>
      database.read(() => {
        const near = kind === 'near' ? 1 : 0;
        return statements.retriable.all({ ...query, near, except: JSON.stringify(exceptLanes), now: now() }).map(triggerEventOf);
      }),
    begin: (ids) =>
      database.write(() => {
        for (const number of numbersOf(ids)) statements.begin.run({ number });
      }),
    settle: (settlements) =>
      database.write(() => {
        for (const { id, decisions, then = [] } of settlements) {
          const number = eventNumberOf(id);
          if (number !== undefined && writes.settle(number, decisions)) writes.record(then);
        }
      }),
    postpone: (id, { error, retryAt, passing = false }) =>
      database.write(() => {
        for (const number of numbersOf([id])) {
          if (retryAt === undefined) statements.fail.run({ number, error, now: now() });
          else statements.postpone.run({ number, error, retry: storedTime(retryAt), counted: passing ? 0 : 1 });
        }
      }),
    decisions: (query) => database.read(() => listDecisions(database, query)),
    decidedTasks: () => database.read(() => statements.decidedTasks.all({}).map(({ task }) => task)),
    prune: ({ before, limit }) => database.write(() => statements.prune.run({ before: storedTime(before), limit })),
    counts: () =>
      database.read(() => {
        const counts = { ...NONE };
        for (const { status, count } of statements.counts.all({})) counts[status] = count;
        return counts;
      }),
  };
}

function numbersOf(ids: readonly string[]): readonly number[] {
  return ids.map(eventNumberOf).filter((number) => number !== undefined);
}

/** Documents are read of what is shown only. */
function listEvents(database: Database, query: EventQuery): readonly TriggerEvent[] {
  const shown = database.queries
    .selectFrom(sql<{ readonly number: number }>`(${eventPage(query)})`.as('page'))
    .innerJoin('trigger_events', 'trigger_events.number', 'page.number')
    .selectAll('trigger_events')
    .orderBy('trigger_events.number', 'desc');
  return database.all(shown).map(triggerEventOf);
}

function listDecisions(database: Database, query: Parameters<EventStore['decisions']>[0]): readonly TriggerDecision[] {
  const { event, task, run, limit } = query;
  const number = event === undefined ? undefined : (eventNumberOf(event) ?? 0);
  let select = database.queries.selectFrom('trigger_decisions').selectAll().orderBy('number', 'desc').limit(limit);
  if (number !== undefined) select = select.where('event', '=', number);
  if (task !== undefined) select = select.where('task', '=', task);
  if (run !== undefined) select = select.where('run', '=', run);
  return database.all(select).map(decisionOf);
}

interface Page {
  readonly now: string;
  readonly after: number;
  readonly limit: number;
}

function createStatements({ queries, prepared }: Database) {
  // Written out, so that the partial indexes of pending and of ended events can be used.
  const pending = sql<SqlBool>`status = 'pending'`;
  const page = () =>
    queries
      .selectFrom('trigger_events')
      .selectAll()
      .where(pending)
      .where(sql<SqlBool>`number > @after and (retry is null or retry <= @now)`)
      .orderBy('number')
      .limit(sql<number>`@limit`);
  return {
    one: prepared<{ number: number }>()((param) => queries.selectFrom('trigger_events').selectAll().where('number', '=', param('number'))),
    pending: prepared<Page>()(page),
    near: prepared<Page & { kind: NearKind }>()((param) =>
      page().where(sql<SqlBool>`kind in ('timer', 'manual', 'run-ended')`).where('kind', '=', param('kind')),
    ),
    far: prepared<Page>()(() => page().where('kind', 'not in', NEAR_KINDS)),
    ofLane: prepared<Page & { lane: string }>()((param) => page().where('lane', '=', param('lane'))),
    retriable: prepared<Page & { near: 0 | 1; except: string }>()((param) =>
      queries
        .selectFrom('trigger_events')
        .selectAll()
        .where(pending)
        .where('retry', 'is not', null)
        .where('retry', '<=', param('now'))
        .where('number', '>', param('after'))
        .where(sql<SqlBool>`(kind in ('timer', 'manual', 'run-ended')) = ${param('near')}`)
        .where(sql<SqlBool>`ifnull(lane, '') not in (select value from json_each(${param('except')}))`)
        .orderBy('number')
        .limit(param('limit')),
    ),
    begin: prepared<{ number: number }>()((param) =>
      queries
        .updateTable('trigger_events')
        .set({ attempts: sql<number>`attempts + 1` })
        .where('number', '=', param('number'))
        .where(pending),
    ),
    postpone: prepared<{ number: number; error: string; retry: string; counted: 0 | 1 }>()((param) =>
      queries
        .updateTable('trigger_events')
        .set({ error: param('error'), retry: param('retry'), attempts: sql<number>`attempts * ${param('counted')}` })
        .where('number', '=', param('number'))
        .where(pending),
    ),
    fail: prepared<{ number: number; error: string; now: string }>()((param) =>
      queries
        .updateTable('trigger_events')
        .set({ status: 'failed', error: param('error'), retry: null, settled: param('now') })
        .where('number', '=', param('number'))
        .where(pending),
    ),
    prune: prepared<{ before: string; limit: number }>()((param) =>
      queries
        .deleteFrom('trigger_events')
        .where('number', 'in', (eb) =>
          eb
            .selectFrom('trigger_events')
            .select('number')
            .where(sql<SqlBool>`status <> 'pending'`)
            .where('received', '<', param('before'))
            .orderBy('received')
            .limit(param('limit')),
        ),
    ),
    // From one name to the next in the index, past all that is between them.
    decidedTasks: prepared<Readonly<Record<never, never>>>()((): Compilable<{ readonly task: string }> => {
      const names = sql<{ readonly task: string }>`with recursive names (task) as (
        select min(task) from trigger_decisions where task is not null
        union all select (select min(d.task) from trigger_decisions d where d.task > names.task) from names where names.task is not null
      ) select task from names where task is not null`;
      return { compile: () => names.compile(queries) };
    }),
    counts: prepared<Readonly<Record<never, never>>>()(() => queries.selectFrom('trigger_event_counts').selectAll()),
  };
}
