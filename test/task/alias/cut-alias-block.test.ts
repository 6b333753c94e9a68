import { describe, expect, it } from 'vitest';
import { cutAliasBlock } from '../../../src/task/alias/cut-alias-block.ts';
import { mapWhole, originOf } from '../../../src/task/mapped-text.ts';

function cut(text: string): readonly [string, string] {
  const { block, rest } = cutAliasBlock(mapWhole({ name: 'a.yaml', text }));
  return [block.text, rest.text];
}

describe('cutAliasBlock', () => {
  it.each([
    ['no block', 'version: v1.1.0\nsteps:\n', '', 'version: v1.1.0\nsteps:\n'],
    ['first', 'alias:\n  values: {a: b}\nsteps:\n', 'alias:\n  values: {a: b}\n', 'steps:\n'],
    ['last', 'steps:\nalias:\n  values: {a: b}', 'alias:\n  values: {a: b}\n', 'steps:\n'],
    ['one line', 'alias: {values: {a: b}}\nsteps:\n', 'alias: {values: {a: b}}\n', 'steps:\n'],
    ['blanks before the colon', 'alias  :\n a\nb:\n', 'alias  :\n a\n', 'b:\n'],
    ['quoted', '"alias":\n a\n', '', '"alias":\n a\n'],
    ['longer name', 'aliases:\n a\n', '', 'aliases:\n a\n'],
    ['lines in column 0 without a colon stay in the block', 'alias:\n- a\n---\n:b\nc:\n', 'alias:\n- a\n---\n:b\n', 'c:\n'],
    ['blank lines', 'alias:\n\n  a: b\n\nc: d\n', 'alias:\n\n  a: b\n\n', 'c: d\n'],
    ['a second block directly after is text', 'alias:\n a\nalias:\n b\nc:\n', 'alias:\n a\n', 'alias:\n b\nc:\n'],
    ['a second block further down', 'alias:\n a\nb:\nalias:\n c\n', 'alias:\n a\nalias:\n c\n', 'b:\n'],
    ['carriage returns', 'a: b\r\nalias:\r\n c\r\nd:\r\n', 'alias:\n c\n', 'a: b\nd:\n'],
    ['no last line feed', 'a: b', '', 'a: b\n'],
    ['lines beyond 64 KiB', `a: ${'x'.repeat(70_000)}\nalias:\n b\n`, 'alias:\n b\n', `a: ${'x'.repeat(70_000)}\n`],
  ])('%s', (_name, text, block, rest) => {
    expect(cut(text)).toEqual([block, rest]);
  });

  it('keeps the places of both parts', () => {
    const text = 'a: b\nalias:\n c: d\ne: f\n';
    const { block, rest } = cutAliasBlock(mapWhole({ name: 'a.yaml', text }));
    const placed = (part: typeof block, word: string): string => {
      const range = originOf(part, part.text.indexOf(word), part.text.indexOf(word) + word.length);
      return text.slice(range?.start, range?.end);
    };
    expect([placed(block, 'c: d'), placed(rest, 'a: b'), placed(rest, 'e: f')]).toEqual(['c: d', 'a: b', 'e: f']);
  });
});
