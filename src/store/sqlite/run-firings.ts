import type { Firing, NewRun, RunStore } from '../../model/ports/store.ts';
import type { RunHold } from '../../model/run-hold.ts';
import { runIdOf, runNumberOf } from '../../model/run-id.ts';
import type { RunRecord, RunRequest } from '../../model/run-record.ts';
import { briefOf, type RunRow } from '../run-rows.ts';
import type { Database } from './database.ts';
import type { LiveRuns } from './live-runs.ts';
import type { RunStatements } from './run-statements.ts';

export type RunFirings = Pick<RunStore, 'fire' | 'fired' | 'join' | 'hold' | 'approve'>;

interface FiringParts {
  readonly database: Database;
  readonly statements: RunStatements;
  readonly live: LiveRuns;
  /** Within a change: stores a new run. */
  readonly insert: (run: NewRun) => RunRecord;
  readonly now: () => string;
}

/** Runs that triggers make, and what they wait for. */
export function createRunFirings({ database, statements: runs, live, insert, now }: FiringParts): RunFirings {
  const statements = createStatements(database);
  const taskExists = (id: string): boolean => statements.taskExists.get({ id }) !== undefined;

  function use({ taskId, trigger, event }: Firing, keys: readonly string[], run: number): void {
    for (const key of keys) statements.use.run({ task_id: taskId, trigger_name: trigger, key, run, event, at: now() });
  }

  /** A change of a run that is queued; `stale` when it is not. */
  function changeQueued(id: string, work: (row: RunRow) => boolean): Promise<'done' | 'stale'> {
    const number = runNumberOf(id);
    if (number === undefined) return Promise.resolve('stale');
    return database.write(() => {
      const row = runs.row.get({ number });
      if (row?.status !== 'Queued' || !work(row)) return 'stale';
      live.touch(number);
      return 'done';
    });
  }

  return {
    fire: (run, firing) =>
      database.write(() => {
        if (!taskExists(firing.taskId)) return undefined;
        const used = usedKeys(statements, firing);
        const fresh = freshKeys(firing, used);
        const [first] = used.values();
        if (fresh.length === 0 && first !== undefined) return { created: false, run: runIdOf(first) };
        const made = insert(run);
        use(firing, fresh, made.number);
        return { created: true, run: made };
      }),
    fired: (taskId, trigger, keys) =>
      database.read(() => {
        const used = usedKeys(statements, { taskId, trigger, keys });
        return new Map([...used].map(([key, number]) => [key, runIdOf(number)]));
      }),
    join: (id, { cause, firing, hold, baseImages }) =>
      changeQueued(id, (row) => {
        if ((row.attempt > 0 && row.hold === null) || !taskExists(firing.taskId)) return false;
        const fresh = freshKeys(firing, usedKeys(statements, firing));
        if (fresh.length === 0) return true;
        use(firing, fresh, row.number);
        changeRequest(row.number, ({ causes, ...request }) => ({
          ...request,
          ...(baseImages === undefined ? {} : { baseImages }),
          causes: [cause, ...causes.slice(1)],
        }));
        statements.setHold.run({ number: row.number, hold: hold === undefined ? row.hold : JSON.stringify(hold), now: now() });
        return true;
      }),
    hold: (id, hold) =>
      changeQueued(id, ({ number }) => {
        statements.setHold.run({ number, hold: hold === undefined ? null : JSON.stringify(hold), now: now() });
        return true;
      }),
    approve: (id, { by, commit }) =>
      changeQueued(id, ({ number, hold: text }) => {
        const hold: RunHold | undefined = text === null ? undefined : JSON.parse(text);
        if (hold?.approval?.commit.toLowerCase() !== commit.toLowerCase()) return false;
        const approval = JSON.stringify({ at: now(), by, commit });
        statements.approve.run({ number, hold: withoutApproval(hold), approval, now: now() });
        return true;
      }),
  };

  function changeRequest(number: number, change: (request: RunRequest) => RunRequest): void {
    const row = runs.one.get({ number });
    if (row === undefined) throw new Error(`bug: run ${number} has no request`);
    const joined = change(JSON.parse(row.request));
    statements.setRequest.run({ run: number, request: JSON.stringify(joined) });
    statements.setBrief.run({ run: number, brief: JSON.stringify(briefOf(joined)) });
    live.touchWhole(number);
  }
}

/** Null when nothing else is waited for. */
function withoutApproval({ approval: _approval, ...rest }: RunHold): string | null {
  return rest.until === undefined && rest.runs === undefined ? null : JSON.stringify(rest);
}

/** Numbers of runs by key, in the order of the firing's keys. */
function usedKeys(
  statements: ReturnType<typeof createStatements>,
  { taskId, trigger, keys }: Pick<Firing, 'taskId' | 'trigger' | 'keys'>,
): ReadonlyMap<string, number> {
  const used = new Map<string, number>();
  for (const key of keys) {
    const row = statements.used.get({ task_id: taskId, trigger_name: trigger, key });
    if (row !== undefined) used.set(key, row.run);
  }
  return used;
}

function freshKeys({ keys }: Firing, used: ReadonlyMap<string, number>): readonly string[] {
  if (keys.length === 0) throw new Error('bug: a firing has no key');
  return [...new Set(keys)].filter((key) => !used.has(key));
}

interface Key {
  readonly task_id: string;
  readonly trigger_name: string;
  readonly key: string;
}

function createStatements({ queries, prepared }: Database) {
  return {
    taskExists: prepared<{ id: string }>()((param) => queries.selectFrom('tasks').select('name').where('id', '=', param('id'))),
    used: prepared<Key>()((param) =>
      queries
        .selectFrom('firings')
        .select('run')
        .where('task_id', '=', param('task_id'))
        .where('trigger_name', '=', param('trigger_name'))
        .where('key', '=', param('key')),
    ),
    use: prepared<Key & { readonly run: number; readonly event: string; readonly at: string }>()((param) =>
      queries.insertInto('firings').values({
        ...{ task_id: param('task_id'), trigger_name: param('trigger_name'), key: param('key') },
        ...{ run: param('run'), event: param('event'), at: param('at') },
      }),
    ),
    setHold: prepared<{ number: number; hold: string | null; now: string }>()((param) =>
      queries
        .updateTable('runs')
        .set({ hold: param('hold'), updated: param('now') })
        .where('number', '=', param('number')),
    ),
    approve: prepared<{ number: number; hold: string | null; approval: string; now: string }>()((param) =>
      queries
        .updateTable('runs')
        .set({ hold: param('hold'), approval: param('approval'), updated: param('now') })
        .where('number', '=', param('number')),
    ),
    setRequest: prepared<{ run: number; request: string }>()((param) =>
      queries
        .updateTable('run_requests')
        .set({ request: param('request') })
        .where('run', '=', param('run')),
    ),
    setBrief: prepared<{ run: number; brief: string }>()((param) =>
      queries
        .updateTable('run_states')
        .set({ brief: param('brief') })
        .where('run', '=', param('run')),
    ),
  };
}
