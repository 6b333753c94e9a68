const FIRST_MS = 250;
const LONGEST_MS = 5_000;

/** Exponential back-off: 250 ms doubled per attempt, at most 5 s; attempt 0 and below give 250 ms. */
export function exponentialBackoffMs(attempt: number): number {
  return attempt <= 0 ? FIRST_MS : Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
}

/** Full jitter: a uniformly random wait up to the back-off, so that many clients do not come back at the same moment. */
export function jitteredBackoffMs(attempt: number, random: () => number): number {
  return Math.round(exponentialBackoffMs(attempt) * random());
}
