/** How waits grow: the first, doubled each time, at most the longest. */
export interface BackoffRange {
  readonly firstMs: number;
  readonly longestMs: number;
}

const STANDARD: BackoffRange = { firstMs: 250, longestMs: 5_000 };

/** Exponential back-off, 250 ms to 5 s unless told otherwise; attempt 0 and below give the first wait. */
export function exponentialBackoffMs(attempt: number, { firstMs, longestMs }: BackoffRange = STANDARD): number {
  return attempt <= 0 ? firstMs : Math.min(longestMs, firstMs * 2 ** attempt);
}

/** Full jitter: a uniformly random wait up to the back-off, so that many clients do not come back at the same moment. */
export function jitteredBackoffMs(attempt: number, random: () => number, range: BackoffRange = STANDARD): number {
  return Math.round(exponentialBackoffMs(attempt, range) * random());
}
