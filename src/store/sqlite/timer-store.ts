import type { Selectable } from 'kysely';
import type { TimerRow, TimerStore } from '../../model/ports/timer-store.ts';
import type { NewTriggerEvent } from '../../model/trigger-event.ts';
import { storedTime } from '../stored-time.ts';
import type { StoreTables } from '../tables.ts';
import type { Database } from './database.ts';
import type { EventWrites } from './event-writes.ts';

type StoredTimer = Selectable<StoreTables['timers']>;

export function createTimerStore(database: Database, writes: EventWrites): TimerStore {
  const statements = createStatements(database);
  return {
    sync: (task, timers) => database.write(() => syncTimers(statements, task, timers)),
    ofTask: (taskId) => database.read(() => statements.ofTask.all({ task_id: taskId }).map(timerOf)),
    due: ({ now, limit }) => database.read(() => statements.due.all({ now: storedTime(now), limit }).map(timerOf)),
    earliest: () => database.read(() => statements.earliest.get({})?.due ?? undefined),
    fire: (firings) =>
      database.write(() => {
        for (const { taskId, name, from, events, ...place } of firings) {
          const moved = { task_id: taskId, name, from: storedTime(from), last: lastOf(from, events), ...placeOf(place) };
          if (statements.move.run(moved) > 0) writes.record(events);
        }
      }),
  };
}

type Place = Pick<TimerRow, 'next' | 'due'>;

function placeOf({ next, due = next }: Place): Pick<StoredTimer, 'next' | 'due'> {
  return { next: next === undefined ? null : storedTime(next), due: next === undefined || due === undefined ? null : storedTime(due) };
}

/** The newest occurrence that is over: several may have been missed. */
function lastOf(from: string, events: readonly NewTriggerEvent[]): string {
  const occurrences = events.map(({ happening }) => (happening.kind === 'timer' ? happening.occurrence : from));
  return [from, ...occurrences].map(storedTime).sort().at(-1) ?? from;
}

function syncTimers(
  statements: ReturnType<typeof createStatements>,
  task: Parameters<TimerStore['sync']>[0],
  wanted: Parameters<TimerStore['sync']>[1],
): void {
  const timers = statements.taskExists.get({ id: task.id }) === undefined ? [] : wanted;
  const known = new Map(statements.ofTask.all({ task_id: task.id }).map((row) => [row.name, row]));
  for (const { name, schedule, ...place } of timers) {
    const row = known.get(name);
    known.delete(name);
    if (row?.schedule === schedule) continue;
    statements.put.run({ task_id: task.id, task: task.name, name, schedule, last: row?.last ?? null, ...placeOf(place) });
  }
  for (const name of known.keys()) statements.remove.run({ task_id: task.id, name });
}

function timerOf(row: StoredTimer): TimerRow {
  return {
    taskId: row.task_id,
    task: row.task,
    name: row.name,
    schedule: row.schedule,
    ...(row.next === null ? {} : { next: row.next }),
    ...(row.due === null ? {} : { due: row.due }),
    ...(row.last === null ? {} : { last: row.last }),
  };
}

interface Name {
  readonly task_id: string;
  readonly name: string;
}

function createStatements({ queries, prepared }: Database) {
  return {
    taskExists: prepared<{ id: string }>()((param) => queries.selectFrom('tasks').select('name').where('id', '=', param('id'))),
    ofTask: prepared<{ task_id: string }>()((param) =>
      queries.selectFrom('timers').selectAll().where('task_id', '=', param('task_id')).orderBy('name'),
    ),
    put: prepared<StoredTimer>()((param) =>
      queries.replaceInto('timers').values({
        ...{ task_id: param('task_id'), task: param('task'), name: param('name'), schedule: param('schedule') },
        ...{ next: param('next'), due: param('due'), last: param('last') },
      }),
    ),
    remove: prepared<Name>()((param) =>
      queries.deleteFrom('timers').where('task_id', '=', param('task_id')).where('name', '=', param('name')),
    ),
    due: prepared<{ now: string; limit: number }>()((param) =>
      queries
        .selectFrom('timers')
        .selectAll()
        .where('due', 'is not', null)
        .where('due', '<=', param('now'))
        .orderBy('due')
        .limit(param('limit')),
    ),
    earliest: prepared<Readonly<Record<never, never>>>()(() =>
      queries.selectFrom('timers').select('due').where('due', 'is not', null).orderBy('due').limit(1),
    ),
    move: prepared<Name & Pick<StoredTimer, 'next' | 'due'> & { readonly from: string; readonly last: string }>()((param) =>
      queries
        .updateTable('timers')
        .set({ next: param('next'), due: param('due'), last: param('last') })
        .where('task_id', '=', param('task_id'))
        .where('name', '=', param('name'))
        .where('next', '=', param('from')),
    ),
  };
}
