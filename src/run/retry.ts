import type { PlanStepCommon } from '../model/plan.ts';
import type { WorkIo } from './deadline.ts';
import { CANCELED, type WorkResult } from './work-result.ts';

export interface Attempt {
  readonly result: WorkResult;
  /** Whether another attempt may help. */
  readonly retryable: boolean;
}

export interface RetryIo extends WorkIo {
  /** Told before the wait for the next attempt. */
  onRetry(because: string, delayMs: number): void | Promise<void>;
}

/** Runs attempts until one succeeds, up to `retries` more after the first, of which `used` were used before. The wait between two ends at once when the signal aborts. */
export async function retryAttempts(
  policy: Pick<PlanStepCommon, 'retries' | 'retryDelayMs'>,
  { clock, signal, onRetry }: RetryIo,
  attempt: () => Promise<Attempt>,
  used = 0,
): Promise<WorkResult> {
  for (let left = policy.retries - used; ; left -= 1) {
    const { result, retryable } = await attempt();
    if (result.status === 'succeeded' || result.status === 'canceled' || left <= 0 || !retryable) return result;
    await onRetry(result.because, policy.retryDelayMs);
    await clock.sleep(policy.retryDelayMs, signal);
    if (signal.aborted) return CANCELED;
  }
}
