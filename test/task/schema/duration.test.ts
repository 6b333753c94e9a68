import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../../src/task/schema/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['90s', 90_000],
    ['250ms', 250],
    ['1d', 86_400_000],
    ['10', undefined],
    ['', undefined],
    ['-5s', undefined],
    ['5 s', undefined],
    ['5x', undefined],
    [`${'1s'.repeat(40)}`, undefined],
  ])('%j: %j', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });
});
