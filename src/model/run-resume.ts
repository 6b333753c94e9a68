import type { Plan } from './plan.ts';
import type { LogPosition } from './ports/log-store.ts';
import type { RunEvent } from './run-event.ts';
import type { RunRecord } from './run-record.ts';
import type { StepState } from './step-state.ts';

/** What an earlier attempt of a run left: containers of its running steps are adopted, ended steps stay ended. */
export interface RunResume {
  readonly plan: Plan;
  /**
   * Ended steps and the steps that were running, with the attempt of the step that ran and its container, when an event told of one.
   * `startedAtMs` of a running step is counted from the run's first start, as `elapsedMs` is.
   */
  readonly states: Readonly<Record<string, StepState>>;
  readonly positions: readonly LogPosition[];
  /** Number of the last event: the next one is this plus 1. */
  readonly lastEvent: number;
  /**
   * Facts that the run's end reports (images, base images, git revisions): the events that carried them, of ended steps and of pushes
   * that were under way; and the `step-retrying` of steps that were running, which tell a retry from a repetition.
   */
  readonly facts: readonly RunEvent[];
  readonly source: NonNullable<RunRecord['source']>;
  /** Milliseconds since the run first started. */
  readonly elapsedMs: number;
}
