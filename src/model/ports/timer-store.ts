import type { NewTriggerEvent } from '../trigger-event.ts';

export interface TimerRow {
  readonly taskId: string;
  readonly task: string;
  readonly name: string;
  /** What the row was made from: another schedule or jitter begins anew. */
  readonly schedule: string;
  /** The occurrence that is next, ISO 8601; absent when there is none any more. */
  readonly next?: string;
  /** `next` with jitter: when it fires. */
  readonly due?: string;
  /** The newest occurrence that is over; another schedule keeps it. */
  readonly last?: string;
}

export interface TimerStore {
  /** The timers that a task has now; those with an unchanged schedule keep their place. A task that is gone has none. */
  sync(task: { readonly id: string; readonly name: string }, timers: readonly Omit<TimerRow, 'taskId' | 'task' | 'last'>[]): Promise<void>;
  ofTask(taskId: string): Promise<readonly TimerRow[]>;
  /** Timers whose `due` is not after `now`, earliest first. */
  due(query: { readonly now: string; readonly limit: number }): Promise<readonly TimerRow[]>;
  /** The earliest `due` of all. */
  earliest(): Promise<string | undefined>;
  /** Records the occurrences and moves on to the next, in one transaction; a row that is no longer at `from` is left alone, its events too. */
  fire(
    firings: readonly {
      readonly taskId: string;
      readonly name: string;
      readonly from: string;
      readonly next?: string;
      readonly due?: string;
      readonly events: readonly NewTriggerEvent[];
    }[],
  ): Promise<void>;
}
