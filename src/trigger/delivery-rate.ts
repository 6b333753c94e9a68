import type { Clock } from '../model/ports/clock.ts';

/** Deliveries that a hook takes at once, and each second from then on: more than any forge sends. */
const BURST = 20_000;
const EACH_SECOND = 2000;
/** Hooks that are remembered: those that took the fewest lately are full again anyway. */
const MOST_HOOKS = 10_000;

/** One bucket of tokens for each hook. */
export interface DeliveryRate {
  /** Takes one; otherwise the seconds until there is one again. */
  take(hook: string): number | undefined;
}

export function createDeliveryRate(clock: Pick<Clock, 'monotonicMs'>): DeliveryRate {
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  return {
    take(hook) {
      const nowMs = clock.monotonicMs();
      const bucket = buckets.get(hook) ?? { tokens: BURST, atMs: nowMs };
      bucket.tokens = Math.min(BURST, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * EACH_SECOND);
      bucket.atMs = nowMs;
      buckets.delete(hook);
      buckets.set(hook, bucket);
      if (buckets.size > MOST_HOOKS) buckets.delete(buckets.keys().next().value ?? '');
      if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / EACH_SECOND));
      bucket.tokens -= 1;
      return undefined;
    },
  };
}
