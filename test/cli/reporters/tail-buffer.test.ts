import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TailBuffer } from '../../../src/cli/reporters/tail-buffer.ts';

test('keeps the last lines, whatever the pieces they came in', () => {
  const line = fc.string({ maxLength: 5 }).map((text) => text.replaceAll('\n', ' '));
  fc.assert(
    fc.property(fc.array(fc.array(line, { minLength: 1 }), { minLength: 1 }), fc.integer({ min: 1, max: 7 }), (chunks, capacity) => {
      const tail = new TailBuffer(capacity);
      for (const lines of chunks) tail.push(lines.join('\n'));
      const all = chunks.flat();
      expect(tail.lines).toEqual(all.slice(-capacity));
      expect(tail.dropped).toBe(all.length > capacity);
    }),
  );
});

test('a line goes on after a partial piece', () => {
  const tail = new TailBuffer(3);
  tail.push('a\nb', true);
  tail.push('c\nd');
  expect(tail.lines).toEqual(['a', 'bc', 'd']);
});

test('a line of a gigabyte costs no more than its end', () => {
  const tail = new TailBuffer(2);
  tail.push('x'.repeat(10_000_000));
  expect(tail.lines[0]?.length).toBe(2000);
});
