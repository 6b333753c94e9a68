import { systemClock } from './clock.ts';

/** What one attempt says about itself: done, or worth another one after at least `afterMs`. */
export type Attempt<T> = { readonly done: true; readonly value: T } | { readonly done: false; readonly afterMs?: number };

export interface RetryPolicy {
  readonly attempts: number;
  /** Back-off doubles from `baseMs` up to `capMs`; the wait is drawn evenly from 0 to that (full jitter). */
  readonly baseMs: number;
  readonly capMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Repeats `attempt` until it is done. The last attempt is told so and has to be done (or throw). A wait that the signal
 * ends early leads to one more attempt, which then sees the aborted signal.
 */
export async function withRetries<T>(policy: RetryPolicy, attempt: (number: number, last: boolean) => Promise<Attempt<T>>): Promise<T> {
  for (let number = 1; ; number += 1) {
    const outcome = await attempt(number, number >= policy.attempts);
    if (outcome.done) return outcome.value;
    const backoff = Math.random() * Math.min(policy.capMs, policy.baseMs * 2 ** (number - 1));
    await systemClock.sleep(Math.max(backoff, Math.min(outcome.afterMs ?? 0, policy.capMs)), policy.signal);
  }
}

/** Milliseconds of a Retry-After header: seconds or an HTTP date; undefined when it is neither. */
export function retryAfterMs(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime());
}
