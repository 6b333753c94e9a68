import { laneOf } from '../../model/event-lane.ts';
import type { NewTriggerEvent, TriggerDecision } from '../../model/trigger-event.ts';
import { type DecisionRow, type EventRow, eventIdOf } from '../event-rows.ts';
import type { Database } from './database.ts';

export type NewDecision = Omit<TriggerDecision, 'event' | 'at'>;
export type Recorded = readonly { readonly id: string; readonly fresh: boolean }[];

/** What other stores do with events within a change of their own. To be called within `database.write`. */
export interface EventWrites {
  /** In order; what is known by its `dedupKey` is left out. */
  record(events: readonly NewTriggerEvent[]): Recorded;
  /** Keeps decisions and ends the event; nothing when it has ended before. */
  settle(number: number, decisions: readonly NewDecision[]): boolean;
  /** Records an event that is decided on already. */
  recordSettled(event: NewTriggerEvent, decision: NewDecision): void;
}

export function createEventWrites(database: Database, now: () => string): EventWrites {
  const statements = createStatements(database);

  function record({ dedupKey, origin, happening, replayOf }: NewTriggerEvent): { readonly number: number; readonly fresh: boolean } {
    const made = statements.insert.get({
      ...{ dedup_key: dedupKey, origin, kind: happening.kind, happening: JSON.stringify(happening) },
      ...{ received: now(), replay_of: replayOf ?? null, lane: laneOf({ happening }) },
    });
    if (made !== undefined) return { number: made.number, fresh: true };
    const known = statements.known.get({ dedup_key: dedupKey });
    if (known === undefined) throw new Error(`bug: an event with the key ${dedupKey} is neither new nor known`);
    return { number: known.number, fresh: false };
  }

  function settle(number: number, decisions: readonly NewDecision[]): boolean {
    const at = now();
    if (statements.settle.run({ number, at }) === 0) return false;
    for (const { task, trigger, outcome, code, because, run } of decisions) {
      statements.decide.run({
        ...{ event: number, at, task: task ?? null, trigger_name: trigger ?? null },
        ...{ outcome, code, because, run: run ?? null },
      });
    }
    return true;
  }

  return {
    record: (events) =>
      events.map((event) => {
        const { number, fresh } = record(event);
        return { id: eventIdOf(number), fresh };
      }),
    settle,
    recordSettled: (event, decision) => {
      settle(record(event).number, [decision]);
    },
  };
}

type NewEventRow = Pick<EventRow, 'dedup_key' | 'origin' | 'kind' | 'happening' | 'received' | 'replay_of' | 'lane'>;

function createStatements({ queries, prepared }: Database) {
  return {
    insert: prepared<NewEventRow>()((param) =>
      queries
        .insertInto('trigger_events')
        .values({
          ...{ dedup_key: param('dedup_key'), origin: param('origin'), kind: param('kind'), happening: param('happening') },
          ...{ received: param('received'), status: 'pending', attempts: 0, replay_of: param('replay_of'), lane: param('lane') },
        })
        .onConflict((conflict) => conflict.column('dedup_key').doNothing())
        .returning('number'),
    ),
    known: prepared<{ dedup_key: string }>()((param) =>
      queries.selectFrom('trigger_events').select('number').where('dedup_key', '=', param('dedup_key')),
    ),
    settle: prepared<{ number: number; at: string }>()((param) =>
      queries
        .updateTable('trigger_events')
        .set({ status: 'settled', settled: param('at'), retry: null, error: null })
        .where('number', '=', param('number'))
        .where('status', '=', 'pending'),
    ),
    decide: prepared<Omit<DecisionRow, 'number'>>()((param) =>
      queries.insertInto('trigger_decisions').values({
        ...{ event: param('event'), at: param('at'), task: param('task'), trigger_name: param('trigger_name') },
        ...{ outcome: param('outcome'), code: param('code'), because: param('because'), run: param('run') },
      }),
    ),
  };
}
