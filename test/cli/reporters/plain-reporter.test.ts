import { expect, test } from 'vitest';
import { createPlainReporter } from '../../../src/cli/reporters/plain-reporter.ts';
import { createPaint } from '../../../src/cli/terminal/paint.ts';
import { collected } from '../collected-stream.ts';
import { FAILED_RUN, numbered } from '../recorded-run.ts';

const LOGS = { directory: '/logs/r1abcd', hasFiles: true, fileOf: () => undefined };

test('prints every event as lines with time and step', () => {
  const stream = collected();
  const reporter = createPlainReporter(stream, { paint: createPaint(false), logs: LOGS, utc: true });
  for (const event of FAILED_RUN) void reporter.emit(event);
  expect(stream.text()).toBe(`12:00:00 run r1abcd of quickrun: 3 steps on docker 28.0
12:00:00 warning: the registry is slow
12:00:01 build | -t app:1 .
12:00:01 build | CACHED [1/2] FROM base
12:00:02 build | [2/2] RUN make
12:00:02 build | compiling
12:00:02 build | linking
12:00:03 build | DONE [2/2] RUN make 1.2s
12:00:03 build | built sha256:1111 app:1
12:00:04 build | succeeded in 1.5s: 0 of 1 instructions cached
12:00:04 test | app:1 sh -c 'run tests'
12:00:05 test | first try
12:00:05 test | attempt 1 failed (exit code 1), again in 2.0s
12:00:06 test | attempt 2: app:1 sh -c 'run tests'
12:00:06 test | second
12:00:06 test | try
12:00:07 test | failed in 1m 05s: 2 attempts, the container ended with exit code 3
12:00:07 push | skipped: test failed

Steps
  ✔ build  build  1.5s    0 of 1 instructions cached
  ✘ test   cmd    1m 05s  failed: 2 attempts, the container ended with exit code 3
  ○ push   push   -       skipped: test failed

Base images
  alpine:3  linux/amd64  sha256:2222  runtime  for build

Failed after 1m 07s (critical path 1m 07s): test: the container ended with exit code 3
Logs: /logs/r1abcd
`);
});

test('a terminal gets colours of steps but no control sequences; a file gets the bytes', () => {
  const hostile = '\x1b[31mred\x1b[0m \x1b]52;c;aGk=\x07\x1b[2Jend\nnext';
  const [event] = numbered([{ type: 'step-output', step: 'a', attempt: 1, stream: 'stdout', text: hostile }]);
  const [start] = numbered([{ type: 'run-started', task: 't', registry: '', engine: 'e', steps: [{ id: 'a', kind: 'cmd', needs: [] }] }]);
  const printed = (isTTY: boolean): string => {
    const stream = collected(isTTY);
    const reporter = createPlainReporter(stream, { paint: createPaint(false), logs: LOGS, utc: true });
    if (start !== undefined) void reporter.emit(start);
    if (event !== undefined) void reporter.emit(event);
    return stream.text().split('\n').slice(1).join('\n');
  };
  expect(printed(true)).toBe('12:00:00 a | \x1b[31mred\x1b[0m end\x1b[0m\n12:00:00 a | next\x1b[0m\n');
  expect(printed(false)).toBe(`12:00:00 a | ${hostile.replace('\n', '\n12:00:00 a | ')}\n`);
});

test('names that hold control characters cannot touch the terminal', () => {
  const stream = collected(true);
  const reporter = createPlainReporter(stream, { paint: createPaint(false), logs: LOGS, utc: true });
  for (const event of numbered([
    { type: 'run-started', task: 'x\x1b]0;title\x07', registry: '', engine: 'e', steps: [{ id: 'a\x1b[2J', kind: 'cmd', needs: [] }] },
    { type: 'step-started', step: 'a\x1b[2J', attempt: 1, detail: 'img \x9b2J\r\n' },
    { type: 'note', level: 'info', message: 'a\x07b' },
  ])) {
    void reporter.emit(event);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
  expect(stream.text()).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
});
