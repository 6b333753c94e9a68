import { createHash } from 'node:crypto';
import type { ImageTargetState } from '../../model/ports/image-watch-store.ts';
import { exponentialBackoffMs } from '../../util/backoff.ts';

type Target = Pick<ImageTargetState, 'key' | 'poll' | 'failures'>;

const UNITS = 2 ** 48;

/** When a target is looked at again: after a time between least and most that looks random and is the same for the same target and moment. */
export function nextLook({ key, poll }: Target, now: Date): string {
  const seconds = poll.least + spread(key, now) * (poll.most - poll.least);
  return later(now, seconds * 1000);
}

/** After a failure: sooner than else at first, then ever later, at most the longest interval. */
export function lookAfterFailure(target: Target, now: Date): string {
  const longestMs = Math.max(60_000, target.poll.most * 1000);
  const backoffMs = exponentialBackoffMs(target.failures, { firstMs: 60_000, longestMs });
  return later(now, backoffMs * (1 + spread(target.key, now) / 4));
}

/** At a moment of a registry, a little apart from other targets. */
export function lookNotBefore({ key }: Target, now: Date, waitMs: number): string {
  return later(now, waitMs + spread(key, now) * Math.min(waitMs, 30_000));
}

function later(now: Date, ms: number): string {
  return new Date(now.getTime() + Math.round(ms)).toISOString();
}

/** From 0 to 1. */
function spread(key: string, now: Date): number {
  return createHash('sha256').update(`${key} ${now.getTime()}`).digest().readUIntBE(0, 6) / UNITS;
}
