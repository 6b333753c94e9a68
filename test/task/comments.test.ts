import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stripComments } from '../../src/task/comments.ts';
import { originOf } from '../../src/task/mapped-text.ts';

const strip = (text: string): string => stripComments({ name: 'task.yaml', text }).text;

describe('stripComments', () => {
  it.each([
    ['', ''],
    ['# only', ''],
    ['# a\n# b\n', ''],
    ['a\n# b', 'a'],
    ['a\n# b\n', 'a\n'],
    ['\n# b', ''],
    ['# c\nsteps:\n # skip\n  - build: -t . # keep\n   #everywhere', 'steps:\n  - build: -t . # keep'],
    ['cmd: |\n  a\n  #!/bin/sh\n  b\n', 'cmd: |\n  a\n  b\n'],
    ['a\r\n# b\r\nc\r\n', 'a\r\nc\r\n'],
    ['\u00a0\u3000# c\nx', 'x'],
    ['\ufeff# not stripped: a byte order mark is no white space', '\ufeff# not stripped: a byte order mark is no white space'],
    ['a # b', 'a # b'],
  ])('%j', (text, expected) => {
    expect(strip(text)).toBe(expected);
  });

  it('is splitting, filtering and joining, and every character keeps its place', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('#', ' ', '\t', '\n', 'a', '\r', '\u0085') }), (text) => {
        const lines = text.split('\n').filter((line) => !/^\p{White_Space}*#/u.test(line));
        const stripped = stripComments({ name: 'task.yaml', text });
        expect(stripped.text).toBe(lines.join('\n'));
        for (let at = 0; at < stripped.text.length; at += 1) {
          const origin = originOf(stripped, at, at + 1);
          expect(text.slice(origin?.start, origin?.end)).toBe(stripped.text[at]);
        }
      }),
    );
  });
});
