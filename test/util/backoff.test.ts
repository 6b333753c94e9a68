import { expect, test } from 'vitest';
import { exponentialBackoffMs, jitteredBackoffMs } from '../../src/util/backoff.ts';

test('doubles from 250 ms up to 5 s', () => {
  expect([-1, 0, 1, 2, 3, 4, 5, 50].map((attempt) => exponentialBackoffMs(attempt))).toEqual([
    250, 250, 500, 1_000, 2_000, 4_000, 5_000, 5_000,
  ]);
});

test('jitter spreads over the whole wait', () => {
  expect(jitteredBackoffMs(2, () => 0)).toBe(0);
  expect(jitteredBackoffMs(2, () => 0.25)).toBe(250);
  expect(jitteredBackoffMs(2, () => 0.9999)).toBe(1_000);
});
