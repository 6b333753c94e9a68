import type { BackoffRange } from '../util/backoff.ts';

/** How a push goes on that a registry did not take: so often at most, and for so long after its first attempt. */
export interface PushPatience {
  readonly attempts: number;
  readonly totalMs: number;
  readonly backoff: BackoffRange;
}

/** As ACR: three attempts. */
export const SHORT_PATIENCE: PushPatience = { attempts: 3, totalMs: Infinity, backoff: { firstMs: 250, longestMs: 5_000 } };

/** Of runs that nobody sits in front of: an outage of the registry is waited out, so that nothing has to be built again. */
export const LONG_PATIENCE: PushPatience = { attempts: Infinity, totalMs: 15 * 60_000, backoff: { firstMs: 1_000, longestMs: 60_000 } };
