import fc from 'fast-check';
import { expect, test } from 'vitest';
import { padText, textWidth, truncateText } from '../../../src/cli/terminal/text-width.ts';

test.each([
  ['abc', 3],
  ['漢字', 4],
  ['ｆｕｌｌ', 8],
  ['한국어', 6],
  ['e\u0301', 1],
  ['\u200b', 0],
  ['🎉', 2],
  ['👩‍👩‍👧', 2],
  ['❤️', 2],
  ['\x1b[31mred\x1b[0m', 3],
  ['…─│✔', 4],
])('%j is %i columns wide', (text, width) => {
  expect(textWidth(text)).toBe(width);
});

test('cuts to whole characters and ends styles', () => {
  expect(truncateText('abcdef', 4)).toBe('abc…');
  expect(truncateText('漢字漢字', 6)).toBe('漢字…');
  expect(truncateText('\x1b[31mabcdef', 4)).toBe('\x1b[31mabc…\x1b[0m');
  expect(truncateText('abc', 3)).toBe('abc');
  expect(truncateText('abc', 0)).toBe('');
});

test('a cut text is never wider than asked, a padded one never narrower', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 40 }), (text, columns) => {
      expect(textWidth(truncateText(text, columns))).toBeLessThanOrEqual(columns);
      expect(textWidth(padText(text, columns))).toBeGreaterThanOrEqual(columns);
    }),
  );
});
