import type { Clock } from '../model/ports/clock.ts';

/** Deliveries at once, of which each takes milliseconds alone. */
const MOST_AT_ONCE = 6;
/** Deliveries within a period: what a daemon answers in time and decides on beside it. */
const MOST_A_PERIOD = 30;
const PERIOD_MS = 100;
/** So long a crowd counts as there after it was seen. */
const KEPT_MS = 250;

/** Whether so many deliveries come that everything that nobody waits for should be put off. */
export interface Crowd {
  came(): void;
  went(): void;
  isThere(): boolean;
}

export function createCrowd(clock: Pick<Clock, 'monotonicMs'>): Crowd {
  let atOnce = 0;
  let period = { endsMs: Number.NEGATIVE_INFINITY, count: 0 };
  let seenMs = Number.NEGATIVE_INFINITY;
  return {
    came() {
      const nowMs = clock.monotonicMs();
      if (nowMs >= period.endsMs) period = { endsMs: nowMs + PERIOD_MS, count: 0 };
      period.count += 1;
      atOnce += 1;
      if (atOnce >= MOST_AT_ONCE || period.count >= MOST_A_PERIOD) seenMs = nowMs;
    },
    went() {
      atOnce -= 1;
    },
    isThere: () => clock.monotonicMs() - seenMs < KEPT_MS,
  };
}
