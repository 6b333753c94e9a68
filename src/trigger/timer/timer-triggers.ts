import { schedule as wakeBySchedule } from 'node-cron';
import type { TimerRow } from '../../model/ports/timer-store.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import { triggersOf } from '../../model/trigger-definition.ts';
import { allTasks } from '../all-tasks.ts';
import type { TriggerParts, TriggerSource } from '../parts.ts';
import { decideTimer } from './decide-timer.ts';
import { placeAfter, readRhythm, rhythmText } from './occurrence.ts';
import { type Firing, isMissed, type MissedPolicy, planFiring } from './plan-firing.ts';
import { Presence } from './presence.ts';

/** Timers that fire in one transaction. */
const MOST_AT_ONCE = 500;
/** Clocks jump: no timer of this machine is trusted for longer. */
const LONGEST_SLEEP_MS = 30_000;
const AFTER_FAILURE_MS = 1000;
const LATEST: MissedPolicy = { onMissed: 'latest', mostMissed: 1 };

/**
 * Starts runs by the clock. What is next stands in the store, and firing is one transaction that records the event and moves on: exactly once,
 * however often this daemon ends or clocks jump. node-cron and sleeps only wake.
 */
export function createTimerTriggers(parts: TriggerParts): TriggerSource {
  return new TimerTriggers(parts);
}

class TimerTriggers implements TriggerSource {
  readonly handlers: TriggerSource['handlers'];
  readonly #parts: TriggerParts;
  readonly #presence: Presence;
  /** What the store has not been told of. */
  #setBackMs = 0;
  /** To take away the timers of a task that is gone. */
  readonly #ids = new Map<string, string>();
  readonly #closing = new AbortController();
  #wake = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(parts: TriggerParts) {
    this.#parts = parts;
    this.#presence = new Presence(parts.clock);
    this.handlers = { timer: (event) => decideTimer(parts, event) };
  }

  async start(): Promise<void> {
    for await (const page of allTasks(this.#parts.store.tasks)) await Promise.all(page.map((record) => this.#sync(record)));
    this.#loop ??= this.#run();
  }

  async taskChanged(name: string, record: TaskRecord | undefined): Promise<void> {
    const before = this.#ids.get(name);
    if (before !== undefined && before !== record?.id) await this.#parts.store.timers.sync({ id: before, name }, []);
    this.#ids.delete(name);
    if (record !== undefined) await this.#sync(record);
    this.#wake.abort();
  }

  /** Timers look at nothing but the clock. */
  async check(): Promise<void> {
    this.#wake.abort();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake.abort();
    await this.#loop;
  }

  /** Timers that are disabled have no row: enabled again, they begin anew. */
  async #sync({ id, definition }: TaskRecord): Promise<void> {
    this.#ids.set(definition.name, id);
    const now = this.#parts.clock.now();
    const enabled = triggersOf(definition)
      .timerTriggers.filter(() => definition.status === 'Enabled')
      .filter(({ status }) => status === 'Enabled');
    const rows = enabled.flatMap((trigger) => {
      const schedule = rhythmText(trigger);
      const rhythm = readRhythm(schedule);
      if (rhythm.ok) return [{ name: trigger.name, schedule, ...placeAfter(rhythm.value, { taskId: id, name: trigger.name }, now) }];
      this.#parts.onProblem(`timer ${trigger.name} of task ${definition.name} cannot be read`, new Error(rhythm.error));
      return [];
    });
    const { timers } = this.#parts.store;
    if (rows.length > 0 || (await timers.ofTask(id)).length > 0) await timers.sync({ id, name: definition.name }, rows);
  }

  async #run(): Promise<void> {
    const wake = (): void => this.#wake.abort();
    const minutes = wakeBySchedule('* * * * *', wake, { suppressMissedWarning: true, unref: true, timezone: 'UTC' });
    try {
      while (!this.#closing.signal.aborted) {
        this.#wake = new AbortController();
        const sleepMs = await this.#fireDue().catch((error: unknown) => {
          this.#presence.failed();
          this.#parts.onProblem('timers that are due could not be fired', error);
          return AFTER_FAILURE_MS;
        });
        if (!this.#closing.signal.aborted) await this.#parts.clock.sleep(sleepMs, this.#wake.signal);
      }
    } finally {
      await minutes.destroy();
    }
  }

  /** Fires until nothing is due. How long nothing will be, or at most until clocks are looked at again. */
  async #fireDue(): Promise<number> {
    const { store, clock } = this.#parts;
    while (!this.#closing.signal.aborted) {
      const at = this.#presence.look();
      this.#setBackMs += at.setBackMs;
      if (this.#setBackMs > 0) await this.#bringForward();
      const rows = await store.timers.due({ now: at.now.toISOString(), limit: MOST_AT_ONCE });
      if (rows.length === 0) break;
      const firings = await Promise.all(rows.map((row) => this.#plan(row, at)));
      await store.timers.fire(firings);
      this.#presence.worked();
      this.#parts.notify();
    }
    this.#presence.worked();
    const earliest = await store.timers.earliest();
    if (earliest === undefined) return LONGEST_SLEEP_MS;
    return Math.max(0, Math.min(LONGEST_SLEEP_MS, Date.parse(earliest) - clock.now().getTime()));
  }

  /** What else waits by the wall clock would wait longer by that. */
  async #bringForward(): Promise<void> {
    await this.#parts.store.clockSetBack(this.#setBackMs);
    this.#setBackMs = 0;
    this.#parts.notify();
  }

  async #plan(row: TimerRow, at: ReturnType<Presence['look']>): Promise<Firing> {
    const policy = isMissed(row, at.since) ? await this.#missedPolicy(row) : LATEST;
    const plan = planFiring(row, at, policy);
    if (plan.ok) return plan.value;
    this.#parts.onProblem(`timer ${row.name} of task ${row.task} fires no more`, new Error(plan.error));
    return { taskId: row.taskId, name: row.name, from: row.next ?? '', events: [] };
  }

  async #missedPolicy({ task, name }: TimerRow): Promise<MissedPolicy> {
    const record = await this.#parts.store.tasks.get(task);
    return (record && triggersOf(record.definition).timerTriggers.find((trigger) => trigger.name === name)) ?? LATEST;
  }
}
