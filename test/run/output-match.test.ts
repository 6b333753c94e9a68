import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OutputMatch } from '../../src/run/output-match.ts';

test('finds exactly the texts that one of the streams contains, whatever the chunks', () => {
  const text = fc.string({ maxLength: 6, unit: fc.constantFrom('a', 'b', 'é') });
  const chunks = fc.array(fc.tuple(fc.constantFrom<'stdout' | 'stderr'>('stdout', 'stderr'), text), { maxLength: 10 });
  fc.assert(
    fc.property(
      fc.array(
        text.filter((needle) => needle !== ''),
        { minLength: 1, maxLength: 3 },
      ),
      chunks,
      (needles, list) => {
        const match = new OutputMatch(needles);
        for (const [stream, chunk] of list) match.push(stream, Buffer.from(chunk));
        const whole = (stream: string): string => list.map(([own, chunk]) => (own === stream ? chunk : '')).join('');
        expect(match.matched).toBe(needles.some((needle) => whole('stdout').includes(needle) || whole('stderr').includes(needle)));
      },
    ),
  );
});

test('an empty text is in any output, no text in none', () => {
  expect(new OutputMatch(['x', '']).matched).toBe(true);
  const none = new OutputMatch([]);
  none.push('stdout', Buffer.from('anything'));
  expect(none.matched).toBe(false);
});
