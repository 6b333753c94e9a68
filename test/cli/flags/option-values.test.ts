import { expect, test } from 'vitest';
import { collectAssignments, parseDuration, parsePlatform, parsePositiveInteger } from '../../../src/cli/flags/option-values.ts';

test.each([
  ['90', 90_000],
  ['90s', 90_000],
  ['10m', 600_000],
  ['1h30m', 5_400_000],
  ['1.5s', 1500],
  ['250ms', 250],
])('%s is %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', '0', '-1', '10x', 'm', '1h 30m', '1e3', '99999999999'])('%j is no duration', (text) => {
  expect(() => parseDuration(text)).toThrow(/duration/);
});

test('an assignment is split at its first equals sign', () => {
  expect(collectAssignments('a=b=c', [{ name: 'x', value: '' }])).toEqual([
    { name: 'x', value: '' },
    { name: 'a', value: 'b=c' },
  ]);
  expect(() => collectAssignments('=x', [])).toThrow('NAME=VALUE');
  expect(() => collectAssignments('x', [])).toThrow('NAME=VALUE');
});

test('numbers and platforms', () => {
  expect(parsePositiveInteger('7')).toBe(7);
  expect(() => parsePositiveInteger('0')).toThrow('from 1');
  expect(parsePlatform('Linux/ARM64')).toBe('linux/arm64');
  expect(() => parsePlatform('linux/arm/v7/x')).toThrow('os[/arch');
});
