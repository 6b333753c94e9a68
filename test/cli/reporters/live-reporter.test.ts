import { expect, test } from 'vitest';
import { createLiveReporter } from '../../../src/cli/reporters/live-reporter.ts';
import { createPaint } from '../../../src/cli/terminal/paint.ts';
import type { RunFact } from '../../../src/model/run-event.ts';
import { FakeTerminal } from '../fake-terminal.ts';
import { FAILED_RUN, numbered } from '../recorded-run.ts';

const LOGS = { directory: '/logs/r1abcd', hasFiles: true, fileOf: (step: string) => `/logs/r1abcd/${step}.log` };

/** A reporter on a terminal in memory; the clock stands still until `advance`. */
function live(columns = 80, rows = 24) {
  const terminal = new FakeTerminal(columns, rows);
  let nowMs = 1000;
  const reporter = createLiveReporter(terminal, { paint: createPaint(false), logs: LOGS, now: () => nowMs });
  const emit = (...facts: readonly RunFact[]): void => {
    for (const event of numbered(facts)) void reporter.emit(event);
  };
  /** Draws the next frame as the timer would. */
  const advance = (ms: number): void => {
    nowMs += ms;
    terminal.emit('resize');
  };
  return { terminal, reporter, emit, advance };
}

const started = (...ids: readonly string[]): RunFact => ({
  type: 'run-started',
  task: 'quickrun',
  registry: '',
  engine: 'docker',
  steps: ids.map((id) => ({ id, kind: 'cmd', needs: [] })),
});

const begun = (step: string): RunFact => ({ type: 'step-started', step, attempt: 1, detail: `image of ${step}` });

test('a run from its start to its summary', () => {
  const { terminal, reporter } = live(100);
  for (const event of FAILED_RUN) void reporter.emit(event);
  expect(terminal.text).toBe(`Run r1abcd of quickrun: 3 steps on docker 28.0
warning: the registry is slow
✔ build 1.5s  0 of 1 instructions cached
↻ test attempt 1 failed: exit code 1
✘ test failed 1m 05s  2 attempts, the container ended with exit code 3
  │ second
  │ try
  └ full log: /logs/r1abcd/test.log
○ push skipped  test failed

Steps
  ✔ build  build  1.5s    0 of 1 instructions cached
  ✘ test   cmd    1m 05s  failed: 2 attempts, the container ended with exit code 3
  ○ push   push   -       skipped: test failed

Base images
  alpine:3  linux/amd64  sha256:2222  runtime  for build

Failed after 1m 07s (critical path 1m 07s): test: the container ended with exit code 3
Logs: /logs/r1abcd
`);
  expect(terminal.cursorShown).toBe(true);
  expect(terminal.strange).toEqual([]);
});

test('running steps have a line each with elapsed time and last output; finished ones move up', () => {
  const { terminal, reporter, emit, advance } = live(60);
  emit(started('a', 'long-name', 'c'), begun('a'), begun('long-name'));
  emit({ type: 'step-output', step: 'a', attempt: 1, stream: 'stdout', text: 'one\n10%\r50%\n' });
  advance(2500);
  expect(terminal.text).toBe(`Run r1abcd of quickrun: 3 steps on docker
⠴ a            2.5s  50%
⠴ long-name    2.5s  image of long-name
  0 of 3 steps done, 1 waiting
`);
  emit({ type: 'step-finished', step: 'a', status: 'succeeded', attempts: 1, durationMs: 2500 });
  expect(terminal.text).toBe(`Run r1abcd of quickrun: 3 steps on docker
✔ a 2.5s
⠴ long-name    2.5s  image of long-name
  1 of 3 steps done, 1 waiting
`);
  reporter.close();
  expect(terminal.cursorShown).toBe(true);
});

test('more running steps than rows are counted, not drawn', () => {
  const { terminal, reporter, emit, advance } = live(60, 6);
  const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
  emit(started(...ids), ...ids.map(begun));
  advance(100);
  expect(terminal.text.split('\n').slice(1)).toEqual([
    expect.stringContaining('image of a'),
    expect.stringContaining('image of b'),
    expect.stringContaining('image of c'),
    '  … and 3 more running',
    '  0 of 6 steps done',
    '',
  ]);
  reporter.close();
  expect(terminal.strange).toEqual([]);
});

test('a narrower terminal leaves no broken lines behind', () => {
  const { terminal, reporter, emit, advance } = live(80, 24);
  emit(started('a'), begun('a'), { type: 'step-output', step: 'a', attempt: 1, stream: 'stdout', text: 'x'.repeat(200) });
  advance(100);
  terminal.resize(30, 24);
  advance(100);
  // The header had been written for good: the terminal itself wraps it.
  expect(terminal.text.split('\n').filter((line) => line.includes('x'))).toHaveLength(1);
  expect(terminal.text.split('\n').filter((line) => line.includes('of 1 step done'))).toHaveLength(1);
  reporter.close();
});

test('wide characters count as two columns', () => {
  const { terminal, reporter, emit, advance } = live(30, 24);
  emit(started('a'), begun('a'), { type: 'step-output', step: 'a', attempt: 1, stream: 'stdout', text: '漢字'.repeat(20) });
  advance(100);
  const line = terminal.text.split('\n').find((text) => text.includes('漢')) ?? '';
  expect(line).toMatch(/漢字漢字漢字漢字.*…$/);
  expect(terminal.text.split('\n').filter((text) => text.includes('漢'))).toHaveLength(1);
  reporter.close();
});

test('control sequences of a step reach the terminal neither in the live line nor in the tail of a failure', () => {
  const { terminal, reporter, emit, advance } = live(80);
  emit(started('a'), begun('a'));
  emit({ type: 'step-output', step: 'a', attempt: 1, stream: 'stdout', text: '\x1b[2J\x1b]0;owned\x07\x1bcgone\x1b[10;10Hhere' });
  advance(100);
  emit({ type: 'step-finished', step: 'a', status: 'failed', attempts: 1, durationMs: 1, exitCode: 1, because: 'exit code 1' });
  expect(terminal.strange).toEqual([]);
  expect(terminal.text).toContain('│ gonehere');
  reporter.close();
});

test('of a progress line the last state is shown in the tail of a failure', () => {
  const { terminal, reporter, emit } = live(80);
  emit(started('a'), begun('a'));
  emit({ type: 'step-output', step: 'a', attempt: 1, stream: 'stdout', text: '10%\r50%\r99%\r\nend' });
  emit({ type: 'step-finished', step: 'a', status: 'failed', attempts: 1, durationMs: 1, exitCode: 1, because: 'exit code 1' });
  expect(terminal.text.split('\n').filter((line) => line.startsWith('  │ '))).toEqual(['  │ 99%', '  │ end']);
  reporter.close();
});

test('only the last 50 lines of a failed step are shown', () => {
  const { terminal, reporter, emit } = live(80);
  emit(started('a'), begun('a'));
  const text = Array.from({ length: 1000 }, (_, index) => `line ${index}`).join('\n');
  emit({ type: 'step-output', step: 'a', attempt: 1, stream: 'stdout', text });
  emit({ type: 'step-finished', step: 'a', status: 'failed', attempts: 1, durationMs: 1, because: 'exit code 1' });
  const shown = terminal.text.split('\n').filter((line) => line.startsWith('  │ '));
  expect(shown).toHaveLength(51);
  expect(shown.slice(0, 2)).toEqual(['  │ …', '  │ line 950']);
  expect(shown.at(-1)).toBe('  │ line 999');
  reporter.close();
});
