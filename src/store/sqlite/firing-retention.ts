import { type SqlBool, sql } from 'kysely';
import type { FiringPlace, RunStore } from '../../model/ports/store.ts';
import { runNumberOf } from '../../model/run-id.ts';
import { eventNumberOf } from '../event-rows.ts';
import { storedTime } from '../stored-time.ts';
import type { Database } from './database.ts';

const OCCURRENCE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

interface Candidate {
  readonly task_id: string;
  readonly trigger_name: string;
  readonly key: string;
  readonly event: string;
  readonly at: string;
  /** Of the timer with the name of the trigger. */
  readonly last: string | null;
  readonly next: string | null;
}

/**
 * Removes firings that nothing can use again: occurrences that their timer has behind it, and ends of runs that are deleted. Those of commits and
 * digests stay: a branch, a tag or an image can come back to what it was, and a forge may tell of it again.
 */
export function createFiringRetention(database: Database): Pick<RunStore, 'pruneFirings'> {
  const statements = createStatements(database);

  /** The event that used it is not there to be decided on again, nor one that repeats it. */
  function isForgotten({ event, task_id, trigger_name, key }: Candidate): boolean {
    const number = eventNumberOf(event);
    if (number === undefined || statements.event.get({ number }) !== undefined) return false;
    return statements.replay.get({ task_id, trigger_name, key }) === undefined;
  }

  function isOver(firing: Candidate): boolean {
    const { key, last, next } = firing;
    const run = runNumberOf(key);
    if (run !== undefined) return statements.run.get({ number: run }) === undefined && isForgotten(firing);
    const isBehind = last !== null && key < last && (next === null || key < next);
    return OCCURRENCE.test(key) && isBehind && isForgotten(firing);
  }

  return {
    pruneFirings: ({ before, after = FIRST, limit }) =>
      database.write(() => {
        const page = statements.page.all({ task_id: after.taskId, trigger_name: after.trigger, key: after.key, limit });
        const time = storedTime(before);
        let pruned = 0;
        for (const firing of page) {
          if (firing.at < time && isOver(firing)) pruned += statements.remove.run(nameOf(firing));
        }
        const last = page.at(-1);
        return { pruned, ...(last === undefined || page.length < limit ? {} : { next: placeOf(last) }) };
      }),
  };
}

const FIRST: FiringPlace = { taskId: '', trigger: '', key: '' };

type Name = Pick<Candidate, 'task_id' | 'trigger_name' | 'key'>;

function nameOf({ task_id, trigger_name, key }: Candidate): Name {
  return { task_id, trigger_name, key };
}

function placeOf({ task_id: taskId, trigger_name: trigger, key }: Candidate): FiringPlace {
  return { taskId, trigger, key };
}

function createStatements({ queries, prepared }: Database) {
  return {
    page: prepared<Name & { readonly limit: number }>()((param) =>
      queries
        .selectFrom('firings')
        .leftJoin('timers', (join) =>
          join.onRef('timers.task_id', '=', 'firings.task_id').onRef('timers.name', '=', 'firings.trigger_name'),
        )
        .select(['firings.task_id', 'firings.trigger_name', 'firings.key', 'firings.event', 'firings.at', 'timers.last', 'timers.next'])
        .where(sql<SqlBool>`(firings.task_id, firings.trigger_name, firings.key) > (@task_id, @trigger_name, @key)`)
        .orderBy('firings.task_id')
        .orderBy('firings.trigger_name')
        .orderBy('firings.key')
        .limit(param('limit')),
    ),
    event: prepared<{ number: number }>()((param) =>
      queries.selectFrom('trigger_events').select('number').where('number', '=', param('number')),
    ),
    run: prepared<{ number: number }>()((param) => queries.selectFrom('runs').select('number').where('number', '=', param('number'))),
    /** People replay few events. */
    replay: prepared<Name>()((param) =>
      queries
        .selectFrom('trigger_events')
        .select('number')
        .where('replay_of', 'is not', null)
        .where('kind', '=', sql.lit('timer'))
        .where(sql<string>`json_extract(happening, '$.taskId')`, '=', param('task_id'))
        .where(sql<string>`json_extract(happening, '$.trigger')`, '=', param('trigger_name'))
        .where(sql<string>`json_extract(happening, '$.occurrence')`, '=', param('key'))
        .limit(1),
    ),
    remove: prepared<Name>()((param) =>
      queries
        .deleteFrom('firings')
        .where('task_id', '=', param('task_id'))
        .where('trigger_name', '=', param('trigger_name'))
        .where('key', '=', param('key')),
    ),
  };
}
