import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RunFact } from '../../src/model/run-event.ts';
import { LONGEST_LINE } from '../../src/run/line-stream.ts';
import { createStepOutput, type StepOutput } from '../../src/run/step-output.ts';
import { createMasker, type Masker } from '../../src/util/masker.ts';
import { createFakeClock, type FakeClock, settled } from '../fakes/fake-clock.ts';

type Output = Extract<RunFact, { type: 'step-output' }>;

function start(masker: Masker = createMasker([]), take?: () => Promise<void>): { output: StepOutput; facts: Output[]; clock: FakeClock } {
  const facts: Output[] = [];
  const clock = createFakeClock();
  const emit = (fact: RunFact): void | Promise<void> => {
    facts.push(fact as Output);
    return take?.();
  };
  return { output: createStepOutput({ step: 's', attempt: 1, masker, clock, emit }), facts, clock };
}

/** The text that a reader of the events has, of one stream. */
function readBack(facts: readonly Output[], stream: 'stdout' | 'stderr'): string {
  const own = facts.filter((fact) => fact.stream === stream);
  return own.map((fact, index) => `${fact.text}${fact.partial === true || index === own.length - 1 ? '' : '\n'}`).join('');
}

describe('step output', () => {
  test('many lines of one turn are one event', async () => {
    const { output, facts } = start();
    for (const text of ['one\ntw', 'o\n', 'three\n']) void output.write('stdout', Buffer.from(text));
    await settled();
    expect(facts).toEqual([{ type: 'step-output', step: 's', attempt: 1, stream: 'stdout', text: 'one\ntwo\nthree' }]);
  });

  test('the streams keep the order of their lines', async () => {
    const { output, facts } = start();
    void output.write('stdout', Buffer.from('a\nb\n'));
    void output.write('stderr', Buffer.from('oops\n'));
    void output.write('stdout', Buffer.from('c\n'));
    await output.close();
    expect(facts.map(({ stream, text }) => `${stream} ${text}`)).toEqual(['stdout a\nb', 'stderr oops', 'stdout c']);
  });

  test('empty lines are kept', async () => {
    const { output, facts } = start();
    void output.write('stdout', Buffer.from('\n\na\n\n'));
    await output.close();
    expect(facts.map((fact) => fact.text)).toEqual(['\n\na\n']);
  });

  test('an unfinished line is shown after a pause and goes on later', async () => {
    const { output, facts, clock } = start();
    void output.write('stdout', Buffer.from('testing... '));
    await clock.advance(199);
    expect(facts).toEqual([]);
    await clock.advance(1);
    expect(facts).toMatchObject([{ text: 'testing... ', partial: true }]);
    void output.write('stdout', Buffer.from('ok\n'));
    await output.close();
    expect(facts[1]).toEqual({ type: 'step-output', step: 's', attempt: 1, stream: 'stdout', text: 'ok' });
    expect(clock.remaining()).toEqual([]);
  });

  test('each write starts the pause anew', async () => {
    const { output, facts, clock } = start();
    for (let count = 0; count < 5; count += 1) {
      void output.write('stdout', Buffer.from('.'));
      await clock.advance(150);
    }
    expect(facts).toEqual([]);
    await clock.advance(50);
    expect(facts.map((fact) => fact.text)).toEqual(['.....']);
    await output.close();
  });

  test('the beginning of a secret is not shown by a pause', async () => {
    const { output, facts, clock } = start(createMasker(['swordfish']));
    void output.write('stdout', Buffer.from('key: sword'));
    await clock.advance(1_000);
    expect(facts.map((fact) => fact.text)).toEqual(['key: ']);
    void output.write('stdout', Buffer.from('fish\n'));
    await output.close();
    expect(readBack(facts, 'stdout')).toBe('key: ***');
  });

  test('nor is half a character', async () => {
    const { output, facts, clock } = start();
    const bytes = Buffer.from('né');
    void output.write('stdout', bytes.subarray(0, 2));
    await clock.advance(1_000);
    expect(facts.map((fact) => fact.text)).toEqual(['n']);
    void output.write('stdout', bytes.subarray(2));
    await output.close();
    expect(readBack(facts, 'stdout')).toBe('né');
  });

  test('invalid UTF-8 is replaced', async () => {
    const { output, facts } = start();
    void output.write('stdout', Buffer.from([0x61, 0xff, 0x62, 0x0a, 0xc3]));
    await output.close();
    expect(facts.map((fact) => fact.text)).toEqual(['a\uFFFDb\n\uFFFD']);
  });

  test('a line without end is delivered in parts, with bounded memory', async () => {
    const { output, facts } = start();
    const chunk = Buffer.from('é'.repeat(50_000));
    for (let count = 0; count < 60; count += 1) await output.write('stdout', chunk);
    await output.write('stdout', Buffer.from('\nnext\n'));
    await output.close();
    expect(facts.length).toBeGreaterThan(5);
    for (const fact of facts) expect(Buffer.byteLength(fact.text)).toBeLessThan(2 * LONGEST_LINE);
    expect(facts.filter((fact) => fact.partial).length).toBeGreaterThan(4);
    expect(readBack(facts, 'stdout')).toBe(`${'é'.repeat(3_000_000)}\nnext`);
  });

  test('a slow taker holds the step back', async () => {
    const taken = Promise.withResolvers<void>();
    const { output } = start(createMasker([]), () => taken.promise);
    let went = false;
    const waiting = Promise.resolve(output.write('stdout', Buffer.alloc(64 * 1024, 'x\n'))).then(() => {
      went = true;
    });
    await settled();
    expect(went).toBe(false);
    taken.resolve();
    await waiting;
    await output.close();
  });

  test('nothing is lost or reordered, whatever the chunks', async () => {
    const piece = fc.record({
      stream: fc.constantFrom<'stdout' | 'stderr'>('stdout', 'stderr'),
      text: fc.string({ maxLength: 12, unit: fc.constantFrom('a', '\n', 'é', '😀', '\r', ' ') }),
      pause: fc.nat(300),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 15 }), fc.nat(), async (pieces, cut) => {
        const { output, facts, clock } = start();
        for (const { stream, text, pause } of pieces) {
          const bytes = Buffer.from(text);
          const at = cut % (bytes.length + 1);
          void output.write(stream, bytes.subarray(0, at));
          if (pause > 150) await clock.advance(pause);
          void output.write(stream, bytes.subarray(at));
        }
        await output.close();
        for (const stream of ['stdout', 'stderr'] as const) {
          const written = pieces.flatMap((one) => (one.stream === stream ? [one.text] : [])).join('');
          expect(readBack(facts, stream)).toBe(written.replace(/\n$/, ''));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('sustains 200 MB/s', async () => {
    const { output, facts } = start();
    const chunk = Buffer.from('2026-01-01T12:00:00Z INFO some line of a build log with a few words in it\n'.repeat(450));
    const rates: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      const before = process.cpuUsage();
      for (let count = 0; count < 500; count += 1) {
        await output.write('stdout', chunk);
        facts.length = 0;
      }
      const { user, system } = process.cpuUsage(before);
      rates.push((500 * chunk.length) / (user + system));
    }
    expect(Math.max(...rates)).toBeGreaterThan(200);
    await output.close();
  });
});
