import { describe, expect, it } from 'vitest';
import { rangeWithin } from '../../../src/task/command/range-within.ts';

/** What the author wrote at the place that is found for a part of a value. */
function found(file: string, written: string, value: string, part: string): string {
  const start = file.indexOf(written);
  const range = { source: { name: 't', text: file }, start, end: start + written.length };
  const at = value.indexOf(part);
  const place = rangeWithin(range, value, at, at + part.length);
  return file.slice(place.start, place.end);
}

describe('rangeWithin', () => {
  it.each([
    ['a plain scalar', '- cmd: bash a > b\n', 'bash a > b', 'bash a > b', '>'],
    ['a quoted scalar', `- cmd: "bash a > b"\n`, `"bash a > b"`, 'bash a > b', '>'],
    ['a block', '- cmd: |\n    bash a\n    b && c\n', '|\n    bash a\n    b && c\n', 'bash a\nb && c\n', '&&'],
    ['an indented line of a block', '- cmd: |\n    bash a\n      b && c\n', '|\n    bash a\n      b && c\n', 'bash a\n  b && c\n', '&&'],
    ['a folded block', '- cmd: >\n    bash a\n    && c\n', '>\n    bash a\n    && c\n', 'bash a && c\n', '&&'],
  ])('finds a part of %s', (_what, file, written, value, part) => {
    expect(found(file, written, value, part)).toBe(part);
  });

  it('falls back to the whole value where it differs from what is written', () => {
    expect(found('- cmd: {{.Values.x}}\n', '{{.Values.x}}', 'bash a > b', '>')).toBe('{{.Values.x}}');
    expect(found('- cmd: a > {{.Values.x}} >\n', 'a > {{.Values.x}} >', 'a > b >', '>')).toBe('a > {{.Values.x}} >');
  });
});
