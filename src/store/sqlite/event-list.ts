import { type RawBuilder, sql } from 'kysely';
import type { EventQuery } from '../../model/ports/event-store.ts';
import type { TriggerEvent } from '../../model/trigger-event.ts';
import { storedTime } from '../stored-time.ts';

/** Indexes of the events of one status, each of which holds what the other filters compare. Few events are pending or failed, of however many. */
const BY_STATUS: Readonly<Partial<Record<TriggerEvent['status'], string>>> = {
  pending: 'trigger_events_pending',
  failed: 'trigger_events_failed',
};

/** The numbers of the events that a list shows, the newest first. Every filter is compared in one index. */
export function eventPage(query: EventQuery): RawBuilder<{ readonly number: number }> {
  const { origin, status, kind, task, since, before, limit } = query;
  const partial = status === undefined ? undefined : BY_STATUS[status];
  const where = [
    ...(task === undefined ? [] : [sql`d.task = ${task}`]),
    ...(before === undefined ? [] : [sql`${task === undefined ? sql`e.number` : sql`d.event`} < ${before}`]),
    ...(origin === undefined ? [] : [sql`e.origin = ${origin}`]),
    // Written out where there is a partial index: a parameter would not show that it holds all that is asked for.
    ...(status === undefined ? [] : [partial === undefined ? sql`e.status = ${status}` : sql`e.status = ${sql.lit(status)}`]),
    ...(kind === undefined ? [] : [sql`e.kind = ${kind}`]),
    ...(since === undefined ? [] : [sql`e.received >= ${storedTime(since)}`]),
  ];
  const events = sql`trigger_events e indexed by ${sql.ref(partial ?? 'trigger_events_by_number')}`;
  const from =
    task === undefined
      ? events
      : sql`trigger_decisions d indexed by trigger_decisions_task_event cross join ${events} on e.number = d.event`;
  const number = task === undefined ? sql`e.number` : sql`distinct d.event`;
  const conditions = where.length === 0 ? sql`` : sql`where ${sql.join(where, sql` and `)}`;
  return sql`select ${number} as number from ${from} ${conditions} order by 1 desc limit ${limit}`;
}
