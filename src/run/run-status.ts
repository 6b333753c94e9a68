import type { RunFact } from '../model/run-event.ts';
import type { StepState } from '../model/step-state.ts';
import type { Interruption } from './run-interrupt.ts';
import type { StepFailure } from './step-runner.ts';

type RunFinished = Extract<RunFact, { readonly type: 'run-finished' }>;

/**
 * A run has succeeded when every step has, ignored failures included. Otherwise what ended it gives the status, and the first failure
 * by time is told.
 */
export function statusOf(
  interruption: Interruption | undefined,
  failure: StepFailure | undefined,
  states: Iterable<StepState>,
): Pick<RunFinished, 'status' | 'failure'> {
  // Canceled a moment too late: there was nothing left to cancel.
  const late = (interruption?.kind === 'canceled' || interruption?.kind === 'timeout') && allSucceeded(states);
  if (interruption !== undefined && interruption.kind !== 'failure' && !late) {
    const status = ({ canceled: 'Canceled', timeout: 'Timeout', broken: 'Error' } as const)[interruption.kind];
    const { because, errorCode } = interruption;
    return { status, failure: told(failure) ?? { message: because, ...(errorCode === undefined ? {} : { errorCode }) } };
  }
  if (failure === undefined) return { status: 'Succeeded' };
  return { status: failure.status === 'failed' ? 'Failed' : 'Error', failure: told(failure) as NonNullable<RunFinished['failure']> };
}

function allSucceeded(states: Iterable<StepState>): boolean {
  for (const state of states) if (state.status !== 'succeeded') return false;
  return true;
}

function told(failure: StepFailure | undefined): RunFinished['failure'] {
  if (failure === undefined) return undefined;
  const { step, message, errorCode } = failure;
  return { step, message, ...(errorCode === undefined ? {} : { errorCode }) };
}
