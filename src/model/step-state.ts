/**
 * The state of one step within one execution:
 *
 *            ┌────────────► skipped
 *   pending ─┤
 *            └─► running ─► succeeded | failed | errored | canceled
 *
 * `failed`: the user's work said no. `errored`: the engine could not do its work. Both end the run unless ignored.
 */
export type StepState =
  | { readonly status: 'pending' }
  | {
      readonly status: 'running';
      readonly startedAtMs: number;
      readonly attempt: number;
      /** Known in runs that survive their process, from before its start. */
      readonly container?: string;
    }
  | {
      readonly status: 'succeeded';
      readonly attempts: number;
      readonly durationMs: number;
      readonly exitCode?: number;
      readonly ignored?: string;
    }
  | {
      readonly status: 'failed';
      readonly attempts: number;
      readonly durationMs: number;
      readonly because: string;
      readonly exitCode?: number;
      readonly timedOut: boolean;
    }
  | {
      readonly status: 'errored';
      readonly attempts: number;
      readonly durationMs: number;
      readonly because: string;
      readonly errorCode: string;
    }
  | { readonly status: 'canceled'; readonly attempts: number; readonly durationMs: number; readonly because: string }
  | { readonly status: 'skipped'; readonly because: string };

const LEGAL: Readonly<Record<StepState['status'], readonly StepState['status'][]>> = {
  pending: ['running', 'skipped'],
  running: ['running', 'succeeded', 'failed', 'errored', 'canceled'],
  succeeded: [],
  failed: [],
  errored: [],
  canceled: [],
  skipped: [],
};

/** The next state, or a thrown Error when the step to it is a bug: nothing leaves a terminal state. */
export function transition(from: StepState, to: StepState): StepState {
  if (!LEGAL[from.status].includes(to.status)) throw new Error(`bug: a step cannot go from ${from.status} to ${to.status}`);
  return to;
}
