import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/model/engine-error.ts';
import { waitAfterFailure } from '../../../src/trigger/status/retry-policy.ts';

const HOUR_MS = 3_600_000;
const busy = new EngineError('forge-failed', 'busy', { transient: true });
const denied = new EngineError('forge-denied', 'denied');

function waits(error: EngineError, random: () => number): readonly number[] {
  const all: number[] = [];
  for (let attempt = 1; ; attempt += 1) {
    const wait = waitAfterFailure(error, attempt, random);
    if (wait === undefined) return all;
    all.push(wait);
  }
}

describe.each([
  ['busy', busy, HOUR_MS, 60],
  ['denied', denied, 6 * HOUR_MS, 15],
] as const)('a forge that is %s', (_name, error, longest, most) => {
  it('is asked for half a day to a day, ever more rarely, whatever chance says', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 100, maxLength: 100 }),
        (numbers) => {
          let at = 0;
          const all = waits(error, () => numbers[at++ % numbers.length] ?? 0);
          const total = all.reduce((sum, wait) => sum + wait, 0);
          expect(all.length).toBeLessThan(most);
          expect(Math.max(...all)).toBeLessThanOrEqual(longest);
          expect(total).toBeGreaterThan(9 * HOUR_MS);
          expect(total).toBeLessThanOrEqual(24 * HOUR_MS);
        },
      ),
    );
  });
});

it('waits as long as the forge asks for, but no more than a day', () => {
  const asking = (retryAfterMs: number) => new EngineError('forge-failed', 'busy', { transient: true, retryAfterMs });
  expect(waitAfterFailure(asking(90_000), 1, () => 0)).toBe(90_000);
  expect(waitAfterFailure(asking(1e12), 1, () => 0)).toBe(24 * HOUR_MS);
});

it('gives up at once what will not pass', () => {
  expect(waitAfterFailure(new EngineError('forge-failed', 'no such commit'), 1, () => 0)).toBeUndefined();
  expect(waitAfterFailure(new TypeError('defect'), 1, () => 0)).toBeUndefined();
});
