import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { inlineRun, runToEnd, slowestAnswer } from './threat-rig.ts';

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await startDaemon();
  // The first run loads what reading tasks needs.
  await runToEnd(daemon, inlineRun('{{ "version: v1.1.0" }}\nsteps: []\n'));
});
afterAll(() => daemon[Symbol.asyncDispose]());

/** Idle machines answer within a fifth of it; a reading without bounds takes many times as long. */
const LONGEST_MS = 1000;
const HEAD = 'version: v1.1.0\n';
const many = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');
const laughs = many(
  9,
  (level) =>
    `${'abcdefghi'[level]}: &${'abcdefghi'[level]} [${Array(10)
      .fill(level === 0 ? 'x' : `*${'abcdefghi'[level - 1]}`)
      .join(',')}]`,
);
const shares = many(2000, (index) => `a${index + 1}: &a${index + 1}\n  <<: *a0`);

const YAML: readonly [string, string, RegExp][] = [
  ['a billion laughs', `${HEAD}${laughs}\nsteps: []\n`, /nodes/],
  ['merge keys over and over', `a0: &a0 {${Array.from({ length: 2000 }, (_, index) => `k${index}: v`).join(', ')}}\n${shares}\n`, /nodes/],
  ['lists inside each other', '['.repeat(700_000), /nodes|deeper/],
  ['mappings inside each other', '{a: '.repeat(150_000), /nodes|deeper/],
  ['lists that are just too deep', '['.repeat(65), /deeper than 64/],
  ['a long list', `${HEAD}x: [${'a,'.repeat(350_000)}]\nsteps: []\n`, /nodes/],
  ['many steps', `${HEAD}steps:\n${'  - cmd: a\n'.repeat(60_000)}`, /nodes/],
  ['more steps than anybody runs', `${HEAD}steps:\n${'  - cmd: a\n'.repeat(1001)}`, /at most 1000 steps/],
  ['steps of one name', `${HEAD}steps:\n${'  - id: a\n    cmd: a\n'.repeat(10_000)}`, /1000 steps|nodes/],
  [
    'a key that would be everybody’s',
    `${HEAD}__proto__: {polluted: 1}\nconstructor: {prototype: {polluted: 1}}\nsteps: [{cmdx: a}]\n`,
    /does nothing/,
  ],
];
const TEMPLATES: readonly [string, string, RegExp][] = [
  ['a loop', `${HEAD}steps:\n{{ range until 100000000 }}  - cmd: a\n{{ end }}`, /template does more than|longer than/],
  [
    'loops in loops',
    '{{ range until 10000 }}{{ range until 10000 }}{{ range until 10000 }}{{ end }}{{ end }}{{ end }}',
    /more than \d+ steps of work/,
  ],
  ['itself', '{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}', /depth/],
  ['a long text', `${HEAD}steps:\n  - cmd: {{ repeat 100000000 "a" }}\n`, /longer than/],
  ['a long number', '{{ printf "%0999999999d" 1 }}', /./],
  ['a regular expression', `{{ regexMatch "(a+)+$" "${'a'.repeat(5000)}b" }}`, /must be a mapping/],
  ['large regular expressions', '{{ range until 1000 }}{{ regexMatch "((a{0,30}){0,30})b" (repeat 5000 "a") }}{{ end }}', /steps of work/],
  ['keys', '{{ range until 1000 }}{{ genCA "a" 1 }}{{ end }}', /steps of work/],
  ['passwords', '{{ range until 1000 }}{{ derivePassword 1 "long" "p" "u" "s" }}{{ end }}', /steps of work/],
  ['sorting', '{{ $x := until 100000 }}{{ range until 1000 }}{{ sortAlpha $x | len }}{{ end }}', /steps of work/],
  ['depth of text', `{{ ${'('.repeat(100_000)}1`, /nested/],
  [
    'an alias in every step',
    `${HEAD}alias:\n  values:\n    a: '{{\`{{ range until 200000 }}{{ end }}\`}}b'\nsteps:\n${'  - cmd: a x\n'.repeat(900)}`,
    /steps of work/,
  ],
];

async function expectHarmless(text: string, because: RegExp): Promise<void> {
  const { value, slowestMs } = await slowestAnswer(daemon, () => runToEnd(daemon, inlineRun(text)));
  expect([value.run.status, value.run.error?.errorCode]).toStrictEqual(['Failed', 'bad-task']);
  expect(value.log).toMatch(because);
  expect(slowestMs).toBeLessThan(LONGEST_MS);
}

describe('threat 5: YAML that takes long', () => {
  it.each(YAML)('%s in a task is refused, and others are answered meanwhile', (_name, text, because) => expectHarmless(text, because));

  it('is no better in the values of a run', async () => {
    const values = Buffer.from(`x: [${'a,'.repeat(350_000)}]`).toString('base64');
    const { value, slowestMs } = await slowestAnswer(daemon, () =>
      runToEnd(daemon, inlineRun(`${HEAD}steps: []\n`, { encodedValuesContent: values })),
    );
    expect([value.run.status, value.log]).toStrictEqual(['Failed', expect.stringContaining('nodes')]);
    expect(slowestMs).toBeLessThan(LONGEST_MS);
  });

  it('is refused in definitions', async () => {
    for (const [name, text] of YAML.slice(0, 6)) {
      const body = { name: 'bomb', step: { encodedTaskContent: Buffer.from(text).toString('base64') } };
      const { value, slowestMs } = await slowestAnswer(daemon, () => daemon.api('POST', '/api/v1/tasks', body));
      expect([name, value.status]).toStrictEqual([name, 422]);
      expect(slowestMs).toBeLessThan(LONGEST_MS);
    }
  });
});

describe('threat 6: templates that take long', () => {
  it.each(TEMPLATES)('%s in a task is stopped, and others are answered meanwhile', (_name, text, because) => expectHarmless(text, because));

  it('are stopped in each task that is applied, and others have their turn between two', async () => {
    const encodedTaskContent = Buffer.from(TEMPLATES[1]?.[1] ?? '').toString('base64');
    const tasks = Array.from({ length: 40 }, (_, index) => ({ name: `bomb${index}`, step: { encodedTaskContent } }));
    const { value, slowestMs } = await slowestAnswer(daemon, () => daemon.api('POST', '/api/v1/apply', { tasks }));
    expect(value.status).toBe(422);
    expect(slowestMs).toBeLessThan(LONGEST_MS);
  });

  it('are no templates in what a value says: it is put in as it is, once', async () => {
    const text = `${HEAD}steps:\n  - id: one\n    cmdx: {{ .Values.text | quote }}\n`;
    const { log } = await runToEnd(daemon, inlineRun(text, { values: [{ name: 'text', value: '{{ repeat 3 "canary" }}' }] }));
    expect(log).not.toContain('canarycanary');
    const grouped = { ...inlineRun(`${HEAD}steps: []\n`), concurrency: { group: '{{ .Run.ID }} ${branch}' } };
    expect((await runToEnd(daemon, grouped)).run.concurrency?.group).toBe('{{ .Run.ID }} ');
  });
});
