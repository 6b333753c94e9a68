import { expect, test } from 'vitest';
import { createJsonReporter } from '../../../src/cli/reporters/json-reporter.ts';
import type { RunFact } from '../../../src/model/run-event.ts';
import { collected } from '../collected-stream.ts';
import { FAILED_RUN, numbered } from '../recorded-run.ts';

function printed(facts: readonly RunFact[]): readonly Record<string, unknown>[] {
  const stream = collected();
  const reporter = createJsonReporter(stream);
  for (const event of numbered(facts)) void reporter.emit(event);
  return stream
    .text()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

const output = (text: string, more: { readonly partial?: true; readonly stream?: 'stdout' | 'stderr' } = {}): RunFact => ({
  type: 'step-output',
  step: 'a',
  attempt: 1,
  stream: 'stdout',
  text,
  ...more,
});

test('one event a line, and one event a line of output', () => {
  const stream = collected();
  const reporter = createJsonReporter(stream);
  for (const event of FAILED_RUN) void reporter.emit(event);
  const lines = stream.text().trimEnd().split('\n');
  // Two events held two lines each.
  expect(lines).toHaveLength(FAILED_RUN.length + 2);
  expect(JSON.parse(lines[0] ?? '')).toEqual(FAILED_RUN[0]);
  expect(JSON.parse(lines.at(-1) ?? '')).toEqual(FAILED_RUN.at(-1));
});

test('lines keep quotes, empty lines and text that looks like the frame', () => {
  const lines = printed([output('say "text":""\n\nend')]);
  expect(lines.map(({ text }) => text)).toEqual(['say "text":""', '', 'end']);
  expect(lines.every(({ seq, step, attempt }) => seq === 1 && step === 'a' && attempt === 1)).toBe(true);
});

test('a line that came in pieces is one line, each stream on its own', () => {
  const lines = printed([
    output('one\ntw', { partial: true }),
    output('err', { partial: true, stream: 'stderr' }),
    output('o\nthree'),
    output('or', { stream: 'stderr' }),
  ]);
  expect(lines.map(({ stream, text }) => `${stream} ${text}`)).toEqual(['stdout one', 'stdout two', 'stdout three', 'stderr error']);
});

test('a line that never ends is printed before the end of its step', () => {
  const lines = printed([
    output('prompt> ', { partial: true }),
    { type: 'step-finished', step: 'a', status: 'succeeded', attempts: 1, durationMs: 5 },
  ]);
  expect(lines.map(({ type, text }) => [type, text])).toEqual([
    ['step-output', 'prompt> '],
    ['step-finished', undefined],
  ]);
});
