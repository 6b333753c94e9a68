import { expect, test } from 'vitest';
import { uniqueWord } from '../../src/util/unique-word.ts';

test.each([0, 1, 4, 10, 25, 64])('%i lower-case letters and digits', (length) => {
  expect(uniqueWord(length)).toMatch(new RegExp(`^[a-z0-9]{${length}}$`));
});

test('no two are the same', () => {
  const words = Array.from({ length: 100_000 }, () => uniqueWord(25));
  expect(new Set(words).size).toBe(words.length);
});

test('every character takes every value', () => {
  const seen = Array.from({ length: 12 }, () => new Set<string>());
  for (let word = 0; word < 5000; word += 1) for (const [at, char] of [...uniqueWord(12)].entries()) seen[at]?.add(char);
  expect(seen.map(({ size }) => size)).toEqual(Array.from({ length: 12 }, () => 36));
});
