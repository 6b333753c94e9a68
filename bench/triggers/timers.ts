import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { taskDefinition } from '../../test/contract/store-values.ts';
import { serve } from '../lib/served.ts';
import { type DaemonRow, within } from '../lib/table.ts';
import { all, type ListedEvent, type ListedRun, openStored, passed, until } from './stored.ts';

const TASKS = 10_000;
/** Runs that are there when the daemon is killed. */
const KILLED_AT = TASKS / 3;
const MINUTE_MS = 60_000;
/** Between the start of the first daemon and the minute that is due: by then it has read all tasks. */
const LEAST_AHEAD_MS = 20_000;
const SETTINGS = { SLIPWAY_MAX_QUEUED: String(2 * TASKS) };

/** 10,000 tasks with a timer for the same minute; the daemon is killed in its midst and started again. The queue is paused: no run starts. */
export async function timerRows(folder: string): Promise<readonly DaemonRow[]> {
  const data = join(folder, 'data');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const fill = await fillTasks(data);
  const first = await serve(data, { env: SETTINGS });
  const stored = openStored(data);
  try {
    await first.api('POST', '/api/v1/queue/pause', {});
    if (Date.now() > fill.dueMs - 2000) throw new Error('the minute came before the daemon was ready for it');
    await passed(fill.dueMs - Date.now());
    const state = (): string => `${stored.runs()} runs, ${stored.pendingEvents()} events pending`;
    await until(() => stored.runs() >= KILLED_AT, { everyMs: 5, timeoutMs: 60_000, state });
    await first.kill();
    const killed = { atMs: Date.now() - fill.dueMs, runs: stored.runs() };
    const second = await serve(data, { env: SETTINGS });
    try {
      const upMs = Date.now() - fill.dueMs;
      await until(() => stored.runs() >= TASKS, { everyMs: 10, timeoutMs: 120_000, state });
      const allMs = Date.now() - fill.dueMs;
      await until(() => stored.pendingEvents() === 0, { everyMs: 50, timeoutMs: 60_000, state });
      const runs = await all<ListedRun>(second, '/api/v1/runs?');
      const events = await all<ListedEvent>(second, '/api/v1/trigger-events?origin=timer');
      const tasks = new Set(runs.map(({ task }) => task));
      const wrong = TASKS - tasks.size + (runs.length - tasks.size) + Math.abs(events.length - TASKS);
      return [
        {
          work: `${TASKS.toLocaleString('en')} timers due in the same minute, daemon killed in the midst: all queued`,
          measured: `${(allMs / 1000).toFixed(1)} s (killed after ${(killed.atMs / 1000).toFixed(1)} s with ${killed.runs} runs, ready again at ${(upMs / 1000).toFixed(1)} s)`,
          ...within(allMs / 1000, { must: 10, aim: 3, unit: 's' }),
        },
        {
          work: `${TASKS.toLocaleString('en')} timers due in the same minute, daemon killed in the midst: missing or twice`,
          measured: `${wrong} (${events.length} occurrences, ${runs.length} runs of ${tasks.size} tasks)`,
          ...within(wrong, { must: 0, aim: 0, unit: '' }),
        },
      ];
    } finally {
      await second.stop();
    }
  } finally {
    stored.close();
    await first.kill();
  }
}

/** Tasks as the API stores them, with a timer for one minute of the year. */
async function fillTasks(data: string): Promise<{ readonly dueMs: number }> {
  const store = await openSqliteStore({ path: join(data, 'slipway.db') });
  const dueMs = Math.ceil((Date.now() + LEAST_AHEAD_MS + 10_000) / MINUTE_MS) * MINUTE_MS;
  const due = new Date(dueMs);
  const schedule = `${due.getUTCMinutes()} ${due.getUTCHours()} ${due.getUTCDate()} ${due.getUTCMonth() + 1} *`;
  const encodedTaskContent = Buffer.from('steps:\n  - cmd: example.org/app\n').toString('base64');
  const timer = { name: 'minute', schedule, status: 'Enabled', onMissed: 'latest', mostMissed: 1, overlap: 'allow', jitter: 0 } as const;
  await Promise.all(
    Array.from({ length: TASKS }, (_, index) =>
      store.tasks.create(
        taskDefinition(`nightly-${index}`, {
          step: { type: 'EncodedTask', encodedTaskContent, values: [] },
          trigger: { sourceTriggers: [], timerTriggers: [timer], afterTriggers: [] },
        }),
      ),
    ),
  );
  await store.close();
  return { dueMs };
}
