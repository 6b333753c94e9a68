import type { PlanCmdStep } from '../model/plan.ts';
import { retryAttempts } from './retry.ts';
import type { StepContext } from './step-context.ts';
import { CANCELED, resultOfError, resultOfTransfer, type WorkResult } from './work-result.ts';

/** `pull: true`: pulls the image of a cmd step before its first container, with retries of its own and outside the step's timeout. */
export async function pullExplicitly(step: PlanCmdStep, context: StepContext, signal: AbortSignal): Promise<WorkResult> {
  if (step.pull === undefined) return { status: 'succeeded' };
  const { run, onTransfer } = context;
  const { image, platform } = step.container;
  const request = { reference: image, ...(platform === undefined ? {} : { platform }) };
  let attempt = 0;
  const onRetry = (because: string, delayMs: number) => run.emit({ type: 'step-retrying', step: step.id, attempt, delayMs, because });
  return retryAttempts(step.pull, { clock: run.clock, signal, onRetry }, async () => {
    if (signal.aborted) return { result: CANCELED, retryable: false };
    attempt += 1;
    try {
      const outcome = await run.space.pull(request, { signal, onTransfer });
      if (outcome.ok) return { result: { status: 'succeeded' }, retryable: false };
      return { result: resultOfTransfer(outcome, `pulling ${image}`), retryable: !outcome.permanent };
    } catch (error) {
      return { result: resultOfError(error, signal), retryable: true };
    }
  });
}
