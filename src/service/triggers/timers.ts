import { EngineError } from '../../model/engine-error.ts';
import type { TimerStore } from '../../model/ports/timer-store.ts';
import type { Principal } from '../../model/security.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import { type TimerTrigger, triggersOf } from '../../model/trigger-definition.ts';
import { parseSchedule, upcoming } from '../../schedule/zoned-schedule.ts';
import type { ChangeOptions, TaskChange } from '../tasks/task-change.ts';
import type { TaskService } from '../tasks/task-service.ts';

const SHOWN = 5;

/** A timer and when it is due. */
export interface ShownTimer extends TimerTrigger {
  /** The next five occurrences. */
  readonly next: readonly string[];
  readonly last?: string;
}

type TimerInput = Pick<TimerTrigger, 'schedule'> & Partial<Omit<TimerTrigger, 'name' | 'schedule'>>;

export async function timersOf(store: Pick<TimerStore, 'ofTask'>, record: TaskRecord, now: Date): Promise<readonly ShownTimer[]> {
  const { timerTriggers } = triggersOf(record.definition);
  if (timerTriggers.length === 0) return [];
  const last = new Map((await store.ofTask(record.id)).map((row) => [row.name, row.last]));
  return timerTriggers.map((timer) => showTimer(timer, now, last.get(timer.name)));
}

function showTimer(timer: TimerTrigger, now: Date, last: string | undefined): ShownTimer {
  const schedule = parseSchedule(timer.schedule);
  const next = schedule.ok ? upcoming(schedule.value, now, SHOWN).map((date) => date.toISOString()) : [];
  return { ...timer, next, ...(last === undefined ? {} : { last }) };
}

/** Adds a timer to a task, or changes what is named of the one that it has; the definition is checked as at any other change of it. */
export async function putTimer(
  tasks: Pick<TaskService, 'edit'>,
  principal: Principal,
  {
    task,
    timer,
    change,
    options,
  }: { readonly task: string; readonly timer: string; readonly change: TimerInput; readonly options: ChangeOptions },
): Promise<{ readonly changed: TaskChange; readonly made: boolean }> {
  let made = false;
  const changed = await tasks.edit(
    principal,
    task,
    'task.timer.set',
    (input) => {
      const timers = input.trigger?.timerTriggers ?? [];
      made = !timers.some(({ name }) => name === timer);
      const timerTriggers = made
        ? [...timers, { name: timer, ...change }]
        : timers.map((one) => (one.name === timer ? { ...one, ...change } : one));
      return { ...input, trigger: { ...input.trigger, timerTriggers } };
    },
    options,
  );
  return { changed, made };
}

/** Rejects with `not-found` when the task has no such timer. */
export async function removeTimer(
  tasks: Pick<TaskService, 'edit'>,
  principal: Principal,
  { task, timer, options }: { readonly task: string; readonly timer: string; readonly options: ChangeOptions },
): Promise<void> {
  await tasks.edit(
    principal,
    task,
    'task.timer.remove',
    (input) => {
      const timers = input.trigger?.timerTriggers ?? [];
      const timerTriggers = timers.filter(({ name }) => name !== timer);
      if (timerTriggers.length === timers.length)
        throw new EngineError('not-found', `the task ${JSON.stringify(task)} has no timer ${JSON.stringify(timer)}`);
      return { ...input, trigger: { ...input.trigger, timerTriggers } };
    },
    options,
  );
}
