import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../../../src/model/diagnostic.ts';
import { renderDiagnostic } from '../../../src/model/render-diagnostic.ts';
import type { TaskInput } from '../../../src/model/task-input.ts';
import { definitionToYaml } from '../../../src/service/tasks/definition-yaml.ts';
import { readTaskDocuments } from '../../../src/service/tasks/task-documents.ts';

function read(text: string): readonly TaskInput[] {
  const documents = readTaskDocuments({ name: 'web.yaml', text });
  if (!documents.ok) throw new Error(documents.error.map((one) => renderDiagnostic(one)).join('\n'));
  return documents.value.map(({ input }) => input);
}

function problems(text: string): readonly Diagnostic[] {
  const documents = readTaskDocuments({ name: 'web.yaml', text });
  return documents.ok ? [] : documents.error;
}

function firstLine(text: string): string | undefined {
  const [first] = problems(text);
  return first === undefined ? undefined : renderDiagnostic(first).split('\n', 1)[0];
}

const WEB = 'name: web\nstep:\n  contextPath: https://git.example/web.git\n';

describe('documents of tasks', () => {
  test('are one task each; empty ones and ends of documents do not count', () => {
    const text = `# tasks\n---\nkind: Task\n${WEB}---\n---\n# nothing\n...\n---\n${WEB.replace('web', 'api')}...\n`;
    expect(read(text).map(({ name }) => name)).toEqual(['web', 'api']);
    expect(read('')).toEqual([]);
    expect(read('---\n...\n')).toEqual([]);
  });

  test('may stand in a list, and be JSON', () => {
    expect(read(`- name: a\n  step: {}\n- name: b\n  step: {}\n`).map(({ name }) => name)).toEqual(['a', 'b']);
    expect(read(JSON.stringify([{ name: 'a', step: {}, timeout: 5, version: 3 }]))).toEqual([{ name: 'a', step: {}, timeout: 5 }]);
  });

  test('have the fields of the JSON of a task, and readable ones for inline tasks', () => {
    const [input] = read(
      [
        'name: nightly',
        'timeout: 7200',
        'tags: { team: a, "on": 1.20 }',
        'step:',
        '  taskContent: |',
        '    steps:',
        '      - cmd: alpine true',
        '  values:',
        '    - { name: VERSION, value: 1.20 }',
        '    - { name: TOKEN, value: { secret: NPM } }',
        'credentials:',
        '  - loginServer: r.example',
        '    userName: robot',
        '    password: { secret: PASSWORD }',
        'policy:',
      ].join('\n'),
    );
    expect(input).toEqual({
      name: 'nightly',
      timeout: 7200,
      tags: { team: 'a', on: '1.20' },
      step: {
        encodedTaskContent: Buffer.from('steps:\n  - cmd: alpine true\n').toString('base64'),
        values: [
          { name: 'VERSION', value: '1.20', isSecret: false },
          { name: 'TOKEN', value: { secret: 'NPM' }, isSecret: true },
        ],
      },
      credentials: [{ loginServer: 'r.example', userName: 'robot', password: { secret: 'PASSWORD' } }],
    });
  });

  test.each([
    [`${WEB}timeuot: 5\n`, 'web.yaml:4:1: error: `timeuot` is no field of a task [task-field-unknown]'],
    [`${WEB}timeout: "5"\n`, 'web.yaml:4:11: error: `timeout` is "5" [task-field]'],
    [`${WEB}timeout: 5\ntimeout: 6\n`, 'web.yaml:5:1: error: `timeout` stands here twice [task-field]'],
    [`${WEB}status: enabled\n`, 'web.yaml:4:9: error: `status` is "enabled" [task-field]'],
    [`---\n${WEB}---\nname: x\n`, 'web.yaml:6:1: error: `step` is missing [task-field-missing]'],
    [`${WEB}  imageNames: web\n`, 'web.yaml:4:15: error: `step.imageNames` is "web" [task-field]'],
    [`${WEB}  noCache: 1\n`, 'web.yaml:4:12: error: `step.noCache` is "1" [task-field]'],
    [
      `${WEB}  contextAccessToken: canary\n`,
      'web.yaml:4:23: error: `step.contextAccessToken` must not stand in a file as it is [task-secret-plain]',
    ],
    [
      `${WEB}  contextAccessToken: { plain: canary }\n`,
      'web.yaml:4:25: error: `step.contextAccessToken` must not stand in a file as it is [task-secret-plain]',
    ],
    [
      `${WEB}  arguments: [{ name: A, value: canary, isSecret: true }]\n`,
      'web.yaml:4:33: error: `step.arguments[0].value` must not stand in a file as it is: write `{ secret: NAME }` [task-secret-plain]',
    ],
    ['- a\n', 'web.yaml:1:3: error: a task is a mapping [task-field]'],
    [`${WEB}---\n${WEB}`, 'web.yaml:5:7: error: the task "web" is defined twice [task-twice]'],
    ['name: [\n', 'web.yaml:1:8: error: The text is not valid YAML'],
    [`${WEB}---\nname: a: b\n`, 'web.yaml:5:8: error'],
  ])('with a mistake are refused at its place (%#)', (text, expected) => {
    expect(firstLine(text)?.slice(0, expected.length)).toBe(expected);
  });

  test('say what was meant', () => {
    const [unknown] = problems(`${WEB}timeuot: 5\n`);
    expect(unknown?.help).toBe('did you mean "timeout"?');
    expect(problems(`${WEB}status: enabled\n`)[0]?.help).toBe('did you mean "Enabled"?');
  });

  test('are bounded', () => {
    expect(problems('---\nname: a\n'.repeat(600)).at(-1)?.code).toBe('yaml-too-big');
    expect(problems(`name: ${'['.repeat(1000)}`)[0]?.code).toBe('yaml-too-big');
    expect(
      problems(`${'a: &a [x]\n'}${Array.from({ length: 30 }, (_, index) => `k${index}: &k${index} [${'*a,'.repeat(2000)}]`).join('\n')}`)[0]
        ?.code,
    ).toBe('yaml-too-big');
    const polluted = `${WEB}tags: { __proto__: x, constructor: y }\n`;
    expect(Object.entries(read(polluted)[0]?.tags ?? {})).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(firstLine(`${WEB}__proto__: { polluted: true }\n`)).toContain('`__proto__` is no field of a task');
  });
});

describe('a task as YAML', () => {
  const someText = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc
      .array(
        fc.constantFrom('a', ' ', '  b', '', '\t', '---', '...', '- x', 'k: v', '# c', '"', "'", '\\', '{{.x}}', 'é', '\u2028', '\u0085'),
        { maxLength: 8 },
      )
      .map((lines) => lines.join('\n')),
    fc.constantFrom(
      'yes',
      'no',
      'null',
      '~',
      '1',
      '1.20',
      '0x1',
      '2030-01-02',
      'on',
      '',
      ' ',
      '*a',
      '&a',
      '!x',
      '|',
      '>',
      '[-]',
      'a\r\nb',
      '\ufeffx',
    ),
  );
  const someSecret = fc.oneof(fc.constant({ stored: true as const }), fc.constant({ secret: 'NPM' }));
  const someArgument = fc.oneof(
    fc.record({ name: someText, value: someText, isSecret: fc.constant(false as const) }),
    fc.record({ name: someText, value: someSecret, isSecret: fc.constant(true as const) }),
  );

  test('is read back as it was, whatever its texts are', () => {
    const someTask = fc.record({
      name: someText,
      status: fc.constantFrom('Enabled' as const, 'Disabled' as const),
      platform: fc.constant({ os: 'linux', architecture: 'amd64' }),
      agentConfiguration: fc.constant({ cpu: 2 }),
      timeout: fc.integer({ min: 300, max: 28_800 }),
      step: fc.record({
        type: fc.constant('EncodedTask' as const),
        encodedTaskContent: fc
          .oneof(someText, fc.uint8Array({ maxLength: 12 }))
          .map((bytes) => Buffer.from(bytes as string).toString('base64')),
        values: fc.array(someArgument, { maxLength: 3 }),
      }),
      credentials: fc.array(fc.record({ loginServer: someText, userName: fc.oneof(someText, someSecret), password: someSecret }), {
        maxLength: 2,
      }),
      agentPoolName: fc.constant('default'),
      priority: fc.integer({ min: -100, max: 100 }),
      policy: fc.constant({ privileged: false, hostMounts: true, dockerSocket: false }),
      tags: fc.dictionary(someText, someText, { maxKeys: 3, minKeys: 1 }),
    });
    fc.assert(
      fc.property(someTask, (task) => {
        const text = definitionToYaml(task);
        expect(text.replaceAll(/[\n\t]/g, '')).not.toMatch(/\p{Cc}/u);
        const [input] = read(text);
        expect(JSON.parse(JSON.stringify(input))).toEqual(JSON.parse(JSON.stringify(task)));
      }),
      { numRuns: 500 },
    );
  });

  test('reads well', () => {
    const text = definitionToYaml({
      name: 'nightly',
      status: 'Enabled',
      platform: { os: 'linux', architecture: 'amd64' },
      agentConfiguration: { cpu: 2 },
      timeout: 3600,
      step: {
        type: 'EncodedTask',
        encodedTaskContent: Buffer.from('steps:\n  - cmd: alpine true\n').toString('base64'),
        values: [{ name: 'TOKEN', value: { secret: 'NPM' }, isSecret: true }],
      },
      credentials: [],
      agentPoolName: 'default',
      priority: 0,
      policy: { privileged: false, hostMounts: false, dockerSocket: false },
    });
    expect(text).toBe(
      [
        'kind: Task',
        'name: nightly',
        'status: Enabled',
        'platform:',
        '  os: linux',
        '  architecture: amd64',
        'agentConfiguration:',
        '  cpu: 2',
        'timeout: 3600',
        'step:',
        '  type: EncodedTask',
        '  taskContent: |2',
        '    steps:',
        '      - cmd: alpine true',
        '  values:',
        '    - name: TOKEN',
        '      value:',
        '        secret: NPM',
        '      isSecret: true',
        'credentials: []',
        'agentPoolName: default',
        'priority: 0',
        'policy:',
        '  privileged: false',
        '  hostMounts: false',
        '  dockerSocket: false',
        '',
      ].join('\n'),
    );
  });
});
