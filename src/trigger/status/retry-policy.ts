import { EngineError } from '../../model/engine-error.ts';
import { type BackoffRange, exponentialBackoffMs, jitteredBackoffMs } from '../../util/backoff.ts';

const DAY_MS = 24 * 3_600_000;
const PASSING: BackoffRange = { firstMs: 5_000, longestMs: 3_600_000 };
/** Somebody may mend the token; forges lock out who tries a bad one often. */
const DENIED: BackoffRange = { firstMs: 5 * 60_000, longestMs: 6 * 3_600_000 };

/**
 * Milliseconds until a status is tried again after its attempt `attempts` (from 1) failed; undefined: never. Waits double and are random
 * between the half and the whole; at least as long as the forge asked for; for a day in all.
 */
export function waitAfterFailure(error: unknown, attempts: number, random: () => number): number | undefined {
  const range = rangeOf(error);
  if (range === undefined || spentMs(attempts, range) > DAY_MS) return undefined;
  const half = exponentialBackoffMs(attempts - 1, range) / 2;
  const asked = error instanceof EngineError ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(half + jitteredBackoffMs(attempts - 1, random, range) / 2, Math.min(asked, DAY_MS));
}

function rangeOf(error: unknown): BackoffRange | undefined {
  if (!(error instanceof EngineError)) return undefined;
  if (error.transient) return PASSING;
  return error.code === 'forge-denied' || error.code === 'secret-unavailable' ? DENIED : undefined;
}

function spentMs(attempts: number, range: BackoffRange): number {
  let spent = 0;
  for (let attempt = 0; attempt < attempts && spent <= DAY_MS; attempt += 1) spent += exponentialBackoffMs(attempt, range);
  return spent;
}
