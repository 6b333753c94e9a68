import type { RunHold } from '../run-hold.ts';
import type { Cause, RunRecord, TrustClass } from '../run-record.ts';
import type { TaskRecord } from '../task-definition.ts';
import type { Firing, Joining } from './store.ts';

/** Makes runs for triggers: the run service as `src/trigger` sees it. */
export interface RunStarter {
  /**
   * One run of the task by its definition, for a firing that is used up with it; queued when it resolves, or Canceled when its concurrency
   * group says so. Builds take the newest tags that the task's tracks know, whatever the cause. Rejects with EngineError: transient `queue-full`, `disk-full`, `draining`; `invalid-request` when the definition makes no run.
   */
  fire(
    order: FireOrder,
  ): Promise<{ readonly created: true; readonly run: RunRecord } | { readonly created: false; readonly run: string } | undefined>;
  /** As `RunStore.join`; the queue is told. */
  join(run: string, joining: Joining): Promise<'done' | 'stale'>;
  /** As `RunStore.hold`; the queue is told. */
  hold(run: string, hold: RunHold | undefined): Promise<'done' | 'stale'>;
  /** Ends a run for a reason of a trigger (`overlap: cancelPrevious`, a pull request that was closed). */
  cancel(run: string, reason: string): Promise<void>;
}

export interface FireOrder {
  readonly task: TaskRecord;
  readonly firing: Firing;
  /** Nearest first. */
  readonly causes: readonly Cause[];
  readonly trust: TrustClass;
  /** Where the context is taken from, when the trigger decides it: the definition's own path otherwise. */
  readonly source?: {
    /** `URL#COMMIT:dir`. */
    readonly contextPath: string;
    readonly pinnedCommit: string;
    readonly pinnedRef?: string;
    readonly taskFileContext?: string;
    /** It is the repository of the definition's own context, so that the context's token may be sent there, of untrusted code too. */
    readonly withToken?: boolean;
  };
  readonly hold?: RunHold;
  /** Lowest priority, and under the cap of such runs. */
  readonly background?: boolean;
}
