import type { Selectable } from 'kysely';
import type { TriggerDecision, TriggerEvent } from '../model/trigger-event.ts';
import type { StoreTables } from './tables.ts';

export type EventRow = Selectable<StoreTables['trigger_events']>;
export type DecisionRow = Selectable<StoreTables['trigger_decisions']>;

export function eventIdOf(number: number): string {
  return `e${number}`;
}

/** The number of an event, or undefined when no event has such an id. */
export function eventNumberOf(id: string): number | undefined {
  if (!/^e[1-9][0-9]{0,15}$/.test(id)) return undefined;
  const number = Number(id.slice(1));
  return Number.isSafeInteger(number) ? number : undefined;
}

export function triggerEventOf(row: EventRow): TriggerEvent {
  return {
    id: eventIdOf(row.number),
    number: row.number,
    dedupKey: row.dedup_key,
    origin: row.origin,
    happening: JSON.parse(row.happening),
    receivedAt: row.received,
    status: row.status,
    attempts: row.attempts,
    ...(row.retry === null ? {} : { retryAt: row.retry }),
    ...(row.error === null ? {} : { error: row.error }),
    ...(row.settled === null ? {} : { settledAt: row.settled }),
    ...(row.replay_of === null ? {} : { replayOf: row.replay_of }),
  };
}

export function decisionOf(row: DecisionRow): TriggerDecision {
  return {
    event: eventIdOf(row.event),
    at: row.at,
    outcome: row.outcome,
    code: row.code,
    because: row.because,
    ...(row.task === null ? {} : { task: row.task }),
    ...(row.trigger_name === null ? {} : { trigger: row.trigger_name }),
    ...(row.run === null ? {} : { run: row.run }),
  };
}
