import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutputChunk } from '../../src/run/run-options.ts';
import { createTappedOutput, FROM_THE_START, readFrom } from '../../src/run/tapped-output.ts';
import { createMasker } from '../../src/util/masker.ts';

const masker = createMasker(['swordfish', 'fishmonger']);

function tapped(resume = { delivered: FROM_THE_START, from: FROM_THE_START }) {
  const chunks: OutputChunk[] = [];
  const output = createTappedOutput({ step: 'a', attempt: 2, masker, tap: (chunk) => void chunks.push(chunk), ...resume });
  return { output, chunks, text: () => Buffer.concat(chunks.map(({ bytes }) => bytes)).toString('latin1') };
}

describe('tapped output', () => {
  it('is bytes as they came, counted without what is held back', async () => {
    const { output, chunks } = tapped();
    await output.write('stdout', Buffer.from('\xff\n\x00 sword', 'latin1'));
    await output.write('stderr', Buffer.from('e'));
    await output.write('stdout', Buffer.from('fish'));
    await output.write('stdout', Buffer.from('monger!'));
    await output.close();
    expect(chunks.map(({ stream, bytes, position }) => [stream, Buffer.from(bytes).toString('latin1'), position])).toEqual([
      ['stdout', '\xff\n\x00 ', 4],
      ['stderr', 'e', 1],
      ['stdout', '***', 9],
      ['stdout', '!', 20],
    ]);
    expect(chunks.every(({ step, attempt }) => step === 'a' && attempt === 2)).toBe(true);
  });

  it('hands a taker’s wish to wait on', async () => {
    const taken = Promise.withResolvers<void>();
    const output = createTappedOutput({
      ...{ step: 'a', attempt: 1, masker, tap: () => taken.promise },
      ...{ delivered: FROM_THE_START, from: FROM_THE_START },
    });
    expect(output.write('stdout', Buffer.from('x'))).toBe(taken.promise);
  });

  it('goes on from the position of any chunk without a gap, a double or an open secret', async () => {
    const word = fc.constantFrom('sword', 'fish', 'monger', 'swordfish', ' ', 'swordfishmonger', 'x');
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { maxLength: 20 }),
        fc.nat(),
        fc.integer({ min: 1, max: 7 }),
        fc.boolean(),
        async (words, cut, size, all) => {
          const raw = Buffer.from(words.join(''));
          const feed = async (output: ReturnType<typeof tapped>['output'], from: number, to: number): Promise<void> => {
            for (let at = from; at < to; at += size) await output.write('stdout', raw.subarray(at, Math.min(to, at + size)));
          };
          const whole = tapped();
          await feed(whole.output, 0, raw.length);
          await whole.output.close();
          const first = tapped();
          await feed(first.output, 0, cut % (raw.length + 1));
          const delivered = { stdout: first.chunks.at(-1)?.position ?? 0, stderr: 0 };
          const from = all ? FROM_THE_START : readFrom(delivered, masker);
          const second = tapped({ delivered, from });
          await feed(second.output, from.stdout, raw.length);
          await second.output.close();
          expect(first.text() + second.text()).toBe(whole.text());
        },
      ),
      { numRuns: 500 },
    );
  });
});
