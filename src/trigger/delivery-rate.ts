import type { Clock } from '../model/ports/clock.ts';

/** What a hook may tell at once, and each second from then on: more than any forge sends, and twice as much as one delivery may hold. */
const BURST = 20_000;
const EACH_SECOND = 2000;
/** Hooks that are remembered: those that took the fewest lately are full again anyway. */
const MOST_HOOKS = 10_000;

/** One bucket of tokens for each hook. */
export interface DeliveryRate {
  /** Takes a token for each event of a proven delivery, at least one; otherwise the seconds until there are so many. */
  take(hook: string, events: number): number | undefined;
}

export function createDeliveryRate(clock: Pick<Clock, 'monotonicMs'>): DeliveryRate {
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  return {
    take(hook, events) {
      const nowMs = clock.monotonicMs();
      const bucket = buckets.get(hook) ?? { tokens: BURST, atMs: nowMs };
      bucket.tokens = Math.min(BURST, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * EACH_SECOND);
      bucket.atMs = nowMs;
      buckets.delete(hook);
      buckets.set(hook, bucket);
      if (buckets.size > MOST_HOOKS) buckets.delete(buckets.keys().next().value ?? '');
      const cost = Math.min(Math.max(events, 1), BURST);
      if (bucket.tokens < cost) return Math.max(1, Math.ceil((cost - bucket.tokens) / EACH_SECOND));
      bucket.tokens -= cost;
      return undefined;
    },
  };
}
