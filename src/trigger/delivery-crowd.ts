import type { Clock } from '../model/ports/clock.ts';

/** Deliveries that waited for their answer at the same time, of which each takes milliseconds alone. */
export const MOST_AT_ONCE = 6;
/** Deliveries within a period: what a daemon answers in time and decides on beside it. */
const MOST_A_PERIOD = 30;
const PERIOD_MS = 100;
/** So long a crowd counts as there after it was seen. */
const KEPT_MS = 250;

/**
 * Whether so many deliveries come that everything that nobody waits for should be put off. Only deliveries that were stored count: they are
 * proven and told of something new, so nobody without a secret can put anything off.
 */
export interface Crowd {
  /** One was stored that had come at this time of the monotonic clock. */
  stored(cameMs: number): void;
  isThere(): boolean;
}

export function createCrowd(clock: Pick<Clock, 'monotonicMs'>): Crowd {
  /** When the last ones were stored, the oldest first. */
  const lastMs: number[] = [];
  let period = { endsMs: Number.NEGATIVE_INFINITY, count: 0 };
  let seenMs = Number.NEGATIVE_INFINITY;
  return {
    stored(cameMs) {
      const nowMs = clock.monotonicMs();
      if (nowMs >= period.endsMs) period = { endsMs: nowMs + PERIOD_MS, count: 0 };
      period.count += 1;
      lastMs.push(nowMs);
      if (lastMs.length > MOST_AT_ONCE) lastMs.shift();
      const [oldestMs = nowMs] = lastMs;
      // Those that were stored after this one had come waited beside it.
      const manyAtOnce = lastMs.length === MOST_AT_ONCE && oldestMs > cameMs;
      if (manyAtOnce || period.count >= MOST_A_PERIOD) seenMs = nowMs;
    },
    isThere: () => clock.monotonicMs() - seenMs < KEPT_MS,
  };
}
