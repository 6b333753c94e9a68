import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../src/model/diagnostic.ts';
import { renderDiagnostic } from '../../src/model/render-diagnostic.ts';
import type { Step, Task } from '../../src/model/task.ts';
import { loadTask, renderTask, type TaskInputs } from '../../src/task/load-task.ts';
import { inputsOf } from './task-inputs.ts';

type Others = Parameters<typeof inputsOf>[1];

async function load(text: string, others?: Others): Promise<Task> {
  const loaded = await loadTask(inputsOf(text, others));
  if (!loaded.ok) throw new Error(loaded.error.map((one) => renderDiagnostic(one)).join('\n'));
  return loaded.value.value;
}

async function problems(text: string, others?: Others): Promise<readonly Diagnostic[]> {
  const loaded = await loadTask(inputsOf(text, others));
  return loaded.ok ? loaded.value.warnings : loaded.error;
}

async function codes(text: string, others?: Others): Promise<readonly string[]> {
  return (await problems(text, others)).map(({ code }) => code);
}

/** The only step of a task. */
async function step(text: string, others?: Others): Promise<Step> {
  const [first] = (await load(`steps:\n  - ${text}\n`, others)).steps;
  if (first === undefined) throw new Error('no step');
  return first;
}

describe('documents', () => {
  it.each(['', '# comment\n#\n', '\n', 'secrets:\n', 'version: v1.0.0\n', 'steps: []\n', 'steps:\n', '~\n', '---\n'])(
    '%j is a task without steps',
    async (text) => {
      expect(await load(text)).toMatchObject({ version: 'v1.0.0', name: 'quickrun', stepTimeout: 600, steps: [] });
    },
  );

  it.each(['v1.0.0-alpha', 'foo', '1.1.0', 'latest', 'v1.2.0'])('refuses the version %s', async (version) => {
    const [problem] = await problems(`version: ${version}\n`);
    expect(problem).toMatchObject({ code: 'version-unknown', message: expect.stringContaining('v1.0.0') });
  });

  it.each([
    ['1.0-preview-1', '1.0-preview-1'],
    ['V1.0.0', 'v1.0.0'],
    ['"v1.1.0"', 'v1.1.0'],
  ])('takes the version %s', async (written, version) => {
    expect((await load(`version: ${written}\n`)).version).toBe(version);
  });

  it('ignores unknown keys, with a warning that names the most similar one', async () => {
    const [problem] = await problems('steps:\n  - cmd: a\n    wehn: ["-"]\n');
    expect(problem).toMatchObject({ code: 'unknown-key', severity: 'warning', help: 'Did you mean `when`?' });
    expect(problem === undefined ? '' : renderDiagnostic(problem)).toContain('acr-task.yaml:3:5: warning');
  });

  it.each(['isbuildtask: true', 'taskname: x', 'registry: r', 'credentials: []'])('%s has no meaning', async (line) => {
    expect((await load(`${line}\nsteps: [{cmd: a}]\n`)).networks[0]?.name).toBe('acb_default_network');
  });

  it('reports every wrong type at once, each with its place', async () => {
    const found = await problems(
      'stepTimeout: "60"\nsteps:\n  - cmd: a\n    when: "-"\n    keep: "yes"\n    network: {name: x}\n  - retries: many\n    cmd: {a: b}\n',
    );
    expect(found.map((one) => renderDiagnostic(one).split('\n')[0])).toEqual([
      'acr-task.yaml:1:15: error: `stepTimeout` must be a whole number of seconds, without quotes, or a duration such as `10m`, but is the text `60`. [type-mismatch]',
      'acr-task.yaml:4:12: error: `when` must be a list of strings, but is the text `-`. [type-mismatch]',
      'acr-task.yaml:5:12: error: `keep` must be `true` or `false`, without quotes, but is the text `yes`. [type-mismatch]',
      'acr-task.yaml:6:14: error: `network` must be a string, but is a mapping. [type-mismatch]',
      'acr-task.yaml:7:14: error: `retries` must be a whole number, without quotes, but is the text `many`. [type-mismatch]',
      'acr-task.yaml:8:10: error: `cmd` must be a string, but is a mapping. [type-mismatch]',
    ]);
  });

  it.each([
    'steps:\n  -\n',
    'steps: [{cmd: a}, ~]\n',
    'volumes:\n  -\n',
    'secrets: [null]\n',
    'steps:\n  - cmd: a\n    volumeMounts: [~]\n',
  ])('%j: an empty item of a list is an error', async (text) => {
    expect(await codes(text)).toContain('list-item-empty');
  });

  it('reads YAML 1.1 scalars', async () => {
    expect(
      await step('{id: 007, cmd: yes, timeout: 010, retries: 1.9, repeat: 0x10, keep: on, detach: Off, cpus: 1.50, user: ~}'),
    ).toMatchObject({
      id: '007',
      cmd: 'yes',
      timeoutMs: 8000,
      retries: 1,
      repeat: 16,
      keep: true,
      detach: false,
      cpus: '1.50',
      user: '',
    });
  });

  it('takes the last of equal keys and only the first document', async () => {
    expect(await step('cmd: a\n    cmd: b\n---\nsteps: [')).toMatchObject({ cmd: 'b' });
  });

  it('adds up the files of a secret that is written twice', async () => {
    const task = await load('volumes:\n  - name: v\n    secret: {a: YQ==}\n    secret: {b: Yg==}\n');
    expect(task.volumes[0]?.files).toEqual({ a: 'YQ==', b: 'Yg==' });
  });

  it('loses comment lines of block scalars', async () => {
    expect(await step('cmd: |\n      a\n      #!/bin/sh\n      b')).toMatchObject({ cmd: 'a\nb\n' });
  });

  it('refuses a file that is too long', async () => {
    expect(await codes(`a: ${'x'.repeat(5_000_000)}`)).toEqual(['task-too-big']);
  });
});

describe('steps', () => {
  it.each([
    ['id: a', ['step-missing-type']],
    ['cmd: ""', ['step-missing-type']],
    ['push: []', ['step-missing-type']],
    ['{cmd: a, push: [b]}', ['step-several-types']],
    ['{cmd: a, build: .}', ['step-several-types']],
    ['{build: ., push: [b]}', ['step-several-types']],
    ['{cmd: a, id: "foo bar"}', ['step-id-whitespace']],
    ['{cmd: a, id: "a\\tb"}', ['step-id-whitespace']],
    ['{cmd: a, id: "foo   "}', ['step-id-whitespace']],
    ['{cmd: a, id: acb_root}', ['step-id-reserved']],
    ['{cmd: a, id: "-"}', ['step-id-reserved']],
    ['{cmd: a, id: a, when: [a]}', ['when-self']],
    ['{cmd: a, when: [acb_step_0]}', ['when-self']],
    ['{cmd: a, when: ["-", c]}', ['when-immediate-not-alone', 'when-unknown']],
    ['{cmd: a, when: [""]}', ['when-empty']],
    ['{cmd: a, retries: -1}', ['step-retries-negative']],
    ['{cmd: a, repeat: -1}', ['step-repeat-negative']],
    ['{cmd: a, cache: blah}', ['cache-invalid']],
    ['{push: [a], volumeMounts: [{name: v, mountPath: /x}]}', ['mount-on-push', 'mount-unknown-volume']],
    ['{cmd: a, volumeMounts: [{name: v, mountPath: /x}]}', ['mount-unknown-volume']],
    ['{cmd: a, volumeMounts: [{name: v}]}', ['mount-incomplete']],
    ['{cmd: a, volumeMounts: [{mountPath: /x}]}', ['mount-incomplete']],
    ['{cmd: a, build: ., id: "a b"}', ['step-several-types', 'step-id-whitespace']],
    ['{script: ls}', ['script-missing-image']],
  ])('%s: %j', async (text, expected) => {
    expect(await codes(`steps:\n  - ${text}\n`)).toEqual(expected);
  });

  it.each(['王明：这是什么？', 'C', 'a.b_c-d'])('takes the id %s', async (id) => {
    expect((await step(`{cmd: a, id: ${id}}`)).id).toBe(id);
  });

  it('allows one volume on two paths, but not two volumes on one path or on a relative one', async () => {
    const volumes = 'volumes: [{name: v, secret: {f: YQ==}}, {name: w, secret: {f: YQ==}}]\nsteps:\n  - cmd: a\n    volumeMounts: ';
    expect(await codes(`${volumes}[{name: v, mountPath: /x}, {name: v, mountPath: /y}]\n`)).toEqual([]);
    expect(await codes(`${volumes}[{name: v, mountPath: /x}, {name: w, mountPath: /x}]\n`)).toEqual(['mount-duplicate-path']);
    expect(await codes(`${volumes}[{name: v, mountPath: x}]\n`)).toEqual(['mount-path-relative']);
  });

  it('applies defaults', async () => {
    expect(await step('{cmd: a, timeout: 0, retryDelay: -1, startDelay: -2}', { workingDirectory: 'wd' })).toMatchObject({
      id: 'acb_step_0',
      needs: [],
      timeoutMs: 600_000,
      retryDelayMs: 5000,
      startDelayMs: 0,
      retries: 0,
      repeat: 0,
      workingDirectory: 'wd',
      network: 'acb_default_network',
      env: [],
    });
    expect(await load('stepTimeout: 20000\nworkingDirectory: src\nsteps: [{cmd: a}]\n', { workingDirectory: 'wd' })).toMatchObject({
      stepTimeout: 20_000,
      steps: [{ timeoutMs: 20_000_000, workingDirectory: 'src' }],
    });
  });

  it('takes durations as an extension', async () => {
    expect(await step('{cmd: a, timeout: 10m, retryDelay: 250ms, startDelay: 1m30s}')).toMatchObject({
      timeoutMs: 600_000,
      retryDelayMs: 250,
      startDelayMs: 90_000,
    });
  });

  it('takes a list of words, and a script with its image, as extensions', async () => {
    expect(await step('cmd: [alpine, echo, "a b"]')).toMatchObject({ kind: 'cmd', cmd: ['alpine', 'echo', 'a b'] });
    expect(await step('image: alpine\n    script: |\n      ls\n      pwd')).toMatchObject({
      kind: 'cmd',
      script: { image: 'alpine', text: 'ls\npwd\n' },
    });
    expect(await step('{cmd: b, image: alpine, script: ls}')).toMatchObject({ kind: 'cmd', cmd: 'b' });
  });

  it('completes and deduplicates the names of a push', async () => {
    expect(await step('push: [a, a:latest, "b@sha256:aa", "localhost:5000/a", a]')).toMatchObject({
      kind: 'push',
      images: ['a:latest', 'b@sha256:aa', 'localhost:5000/a'],
    });
  });
});

describe('edges', () => {
  async function edges(steps: string): Promise<Readonly<Record<string, readonly string[]>>> {
    return Object.fromEntries((await load(`steps:\n${steps}`)).steps.map(({ id, needs }) => [id, needs]));
  }

  it('without `when` a step waits for the one before it only', async () => {
    expect(
      await edges(
        '  - {id: a, cmd: z, when: ["-"]}\n  - {id: b, cmd: z, when: ["-"]}\n  - {id: c, cmd: z}\n  - {id: d, cmd: z, when: []}\n',
      ),
    ).toEqual({
      a: [],
      b: [],
      c: ['b'],
      d: ['c'],
    });
  });

  it('joins, forgets duplicates, keeps file order and takes the root for nothing', async () => {
    expect(
      await edges(
        '  - {id: a, cmd: z}\n  - {id: b, cmd: z, when: [-]}\n  - {id: c, cmd: z, when: [b, a, b]}\n  - {id: d, cmd: z, when: [acb_root, a]}\n',
      ),
    ).toEqual({ a: [], b: [], c: ['a', 'b'], d: ['a'] });
  });

  it('generated ids are ordinary ids', async () => {
    expect(await edges('  - {cmd: z}\n  - {cmd: z}\n  - {cmd: z, when: [acb_step_0]}\n')).toMatchObject({ acb_step_2: ['acb_step_0'] });
    expect(await codes('steps:\n  - {cmd: z}\n  - {cmd: z, id: acb_step_2}\n  - {cmd: z}\n')).toEqual(['step-duplicate-id']);
  });

  it('refuses ids that are used twice, stand below or do not exist', async () => {
    expect(await codes('steps: [{id: x, cmd: a}, {id: x, cmd: b}]\n')).toEqual(['step-duplicate-id']);
    const found = await problems(
      'steps:\n  - {id: a, cmd: z, when: [later, hte-end]}\n  - {id: the-start, cmd: z}\n  - {id: later, cmd: z, when: [the-strat]}\n',
    );
    expect(found.map(({ code, help }) => [code, help])).toEqual([
      ['when-later', 'Move the step `later` above this one.'],
      ['when-unknown', undefined],
      ['when-unknown', 'Did you mean `the-start`?'],
    ]);
  });

  it('reports all problems of a file at once', async () => {
    const found = await codes(
      'version: v9\nenv: [X]\nsecrets: [{id: a}]\nsteps:\n  - {id: a}\n  - {cmd: z, id: a, retries: -1, when: [b]}\n',
    );
    expect(found).toEqual([
      'secret-missing-keyvault',
      'version-unknown',
      'env-bad-entry',
      'step-missing-type',
      'step-retries-negative',
      'when-unknown',
      'step-duplicate-id',
    ]);
  });

  it('lists at most 500 problems and says how many more there are', async () => {
    const steps = Array.from({ length: 700 }, (_, index) => `  - {cmd: z, when: [nosuch${index}]}\n`).join('');
    const found = await problems(`steps:\n${steps}`);
    expect(found).toHaveLength(501);
    expect(found.at(-1)).toMatchObject({ code: 'too-many-problems', message: 'There are 200 more problems.' });
  });
});

describe('environments', () => {
  async function env(task: string, own: string, engine: readonly string[] = []): Promise<readonly string[] | undefined> {
    return (await load(`env: ${task}\nsteps: [{cmd: a, env: ${own}}]\n`, { env: engine })).steps[0]?.env;
  }

  it('puts the step first, splits what is inherited at commas, and lets the step win', async () => {
    expect(await env('["key1=val1,key2=val2,key3=val3"]', '[key1=newVal1, key2=newVal2, "key3=newVal3="]')).toEqual([
      'key1=newVal1',
      'key2=newVal2',
      'key3=newVal3=',
    ]);
    expect(await env('["key1=val1,key2=val2", "key3=val3,key4=val4"]', '[key1=n1, key2=n2]')).toEqual([
      'key1=n1',
      'key2=n2',
      'key3=val3',
      'key4=val4',
    ]);
    expect(await env('[]', '["A=1,B=2"]')).toEqual(['A=1,B=2']);
    expect(await env('[a=b, c=d]', '[]', ['a=g', 'e=f,g=h'])).toEqual(['a=b', 'c=d', 'e=f', 'g=h']);
  });

  it('takes an entry without a value in a step', async () => {
    expect(await env('[]', '[FOO]')).toEqual(['FOO']);
    expect(await env('[A=1, FOO=x]', '[FOO]')).toEqual(['FOO', 'A=1']);
  });

  it('refuses inherited entries without one, and says that commas split', async () => {
    const [problem] = await problems('env: ["A=1,x"]\nsteps: [{cmd: a}]\n');
    expect(problem).toMatchObject({ code: 'env-bad-entry', message: expect.stringContaining('split at commas') });
    expect(await codes('steps: [{cmd: a}]\n', { env: ['NOEQ'] })).toEqual(['env-bad-entry']);
  });
});

describe('networks', () => {
  async function networks(text: string, network?: string): Promise<unknown> {
    const task = await load(`${text}\nsteps: [{cmd: a}, {cmd: b, network: host}]\n`, { ...(network !== undefined && { network }) });
    return { names: task.networks.map(({ name }) => name), stamped: task.steps.map((one) => one.network) };
  }

  it.each([
    ['', ['acb_default_network'], ['acb_default_network', 'host']],
    ['networks: [{name: n1}]', ['n1'], ['', 'host']],
    ['networks: [{name: n1, isDefault: true}, {name: n2, isDefault: true}]', ['n1', 'n2'], ['n2', 'host']],
  ])('%j', async (text, names, stamped) => {
    expect(await networks(text)).toEqual({ names, stamped });
  });

  it('an existing network given to the engine becomes the default', async () => {
    expect(await networks('networks: [{name: n1, isDefault: true}]', 'host1')).toEqual({
      names: ['n1', 'host1'],
      stamped: ['host1', 'host'],
    });
  });
});

describe('secrets and volumes', () => {
  it.each([
    ['secrets: [{keyvault: k}]', ['secret-missing-id']],
    ['secrets: [{id: "a b", keyvault: k}]', ['secret-id-whitespace']],
    ['secrets: [{id: a}]', ['secret-missing-keyvault']],
    ['secrets: [{id: a, keyvault: k, clientID: test}]', ['secret-bad-client-id']],
    ['secrets: [{id: a, keyvault: k}, {id: a, keyvault: l}]', ['secret-duplicate-id']],
    ['secrets: [{id: MYSecret1}, {id: mysecret1, keyvault: k}]', ['secret-missing-keyvault']],
    ['secrets: [{id: a, keyvault: k, clientID: 11111111-2222-3333-4444-555555555555}]', []],
    ['secrets: [{id: a, keyvault: k, clientID: "{11111111-2222-3333-4444-555555555555}"}]', []],
    ['secrets: [{id: a, keyvault: k, clientID: urn:uuid:11111111-2222-3333-4444-555555555555}]', []],
    ['secrets: [{id: a, keyvault: k, clientID: "11111111222233334444555555555555"}]', []],
    ['volumes: [{secret: {a: YQ==}}]', ['volume-missing-name']],
    ['volumes: [{name: test/., secret: {a: YQ==}}]', ['volume-bad-name']],
    ['volumes: [{name: test123-_, secret: {a: YQ==}}]', []],
    ['volumes: [{name: v}]', ['volume-missing-secret']],
    ['volumes: [{name: v, secret: ~}]', ['volume-missing-secret']],
    ['volumes: [{name: v, secret: {}}]', ['volume-empty-secret']],
    ['volumes: [{name: v, secret: {"": YQ==}}]', ['volume-bad-file-name']],
    ['volumes: [{name: v, secret: {/test/a: YQ==}}]', ['volume-bad-file-name']],
    ['volumes: [{name: v, secret: {..: YQ==}}]', ['volume-bad-file-name']],
    ['volumes: [{name: v, secret: {My-test_123.txt: ""}}]', []],
    ['volumes: [{name: a, secret: {f: YQ==}}, {name: a, secret: {f: YQ==}}]', ['volume-duplicate-name']],
  ])('%s: %j', async (text, expected) => {
    expect(await codes(`${text}\n`)).toEqual(expected);
  });
});

describe('aliases', () => {
  async function cmd(text: string, others?: Others): Promise<string | readonly string[]> {
    const [first] = (await load(`version: v1.1.0\n${text}`, others)).steps;
    return first?.kind === 'cmd' ? first.cmd : '';
  }

  it.each([
    ['alias: {values: {purge: acr purge}}\nsteps: [{cmd: "        purge --x            "}]\n', 'acr purge --x'],
    ['steps: [{cmd: acrmixedin --wait}]\n', 'acrmixedin --wait'],
    ['steps: [{cmd: "bash:3.0 echo hi"}]\n', 'bash:3.0 echo hi'],
    ['steps: [{cmd: bash echo hi}]\n', 'mcr.microsoft.com/acr/bash:2ff604c echo hi'],
    ['steps: [{cmd: "bash\\techo"}]\n', 'bash\techo'],
    ['steps: [{cmd: Registry}]\n', 'foo.azurecr.io'],
    ['steps: [{cmd: x $OS_NAME $ID$nope}]\n', 'x linux_NAME r1$nope'],
    ['alias: {values: {bash: busybox}}\nsteps: [{cmd: bash $bash}]\n', 'busybox busybox'],
    ['alias: {values: {a: "$ID"}}\nsteps: [{cmd: x $a}]\n', 'x $ID'],
    ['alias: {values: {a: "{{.Run.ID}}"}, directive: "&"}\nsteps: [{cmd: x $a &a}]\n', 'x $a r1'],
    ['alias:\nsteps: [{cmd: x $ID}]\n', 'x r1'],
  ])('%j: %j', async (text, expected) => {
    expect(await cmd(text)).toBe(expected);
  });

  it('reads sources in order; later ones and the block win', async () => {
    const files = { 'a.yaml': 'x: 1\ny: 1\nz: 1\n', 'b.yaml': 'y: 2\nz: 2\n', 'e.yaml': '' };
    expect(await cmd('alias: {src: [a.yaml, b.yaml, e.yaml], values: {z: 3}}\nsteps: [{cmd: i $x $y $z}]\n', { files })).toBe('i 1 2 3');
  });

  it.each([
    ['alias: {directive: a}', 'alias-bad-directive'],
    ['alias: {directive: "&&&"}', 'alias-bad-directive'],
    ['alias: {values: {"totally&^Invalid": a}}', 'alias-bad-name'],
    ['alias: {values: {ż: a}}', 'alias-bad-name'],
    ['alias: {values: [a, b]}', 'type-mismatch'],
    ['alias: {values: {a: {b: c}}}', 'type-mismatch'],
    ['alias: {src: [missing.yaml]}', 'alias-source-failed'],
    ['alias: {src: [list.yaml]}', 'type-mismatch'],
    ['alias: {src: [bad.yaml]}', 'alias-bad-name'],
    ['alias: {src: [syntax.yaml]}', 'yaml-syntax'],
    ['alias: {values: {a', 'yaml-syntax'],
  ])('%s: %s', async (text, code) => {
    const files = { 'list.yaml': '- a\n', 'bad.yaml': 'a.b: c\n', 'syntax.yaml': 'a: [b' };
    expect(await codes(`version: v1.1.0\n${text}\nsteps: [{cmd: a}]\n`, { files })).toEqual([code]);
  });

  it('points into the file although the text has moved', async () => {
    const [problem] = await problems(
      '# comment\nversion: v1.1.0\nalias:\n  values: {w: "when: x"}\n\nsteps:\n  # another\n  - cmd: a\n    $w\n',
    );
    expect(problem === undefined ? '' : renderDiagnostic(problem)).toMatch(/^acr-task\.yaml:9:5: error: `when` must be a list of strings/);
  });

  it.each(['', 'version: v1.0.0\n', 'version: 1.0-preview-1\n'])('are off for the version %j', async (version) => {
    expect((await load(`${version}alias: {values: {foo: x}}\nsteps: [{cmd: bash $foo}]\n`)).steps[0]).toMatchObject({ cmd: 'bash $foo' });
  });
});

describe('templates', () => {
  it('are rendered before YAML is read, and problems point into the file', async () => {
    const task = await load('steps:\n{{- range list "a" "b"}}\n  - cmd: {{.}} {{$.Run.Registry}}/{{$.Values.x}}\n{{- end}}\n', {
      set: ['x=y'],
    });
    expect(task.steps.map((one) => (one.kind === 'cmd' ? one.cmd : ''))).toEqual(['a foo.azurecr.io/y', 'b foo.azurecr.io/y']);
    const [problem] = await problems('# c\nsteps:\n  - cmd: {{.Run.ID}}\n    retries: {{"x"}}\n');
    expect(problem === undefined ? '' : renderDiagnostic(problem)).toMatch(/^acr-task\.yaml:4:16: error: `retries` must be a whole number/);
  });

  it('a file that renders to nothing is an error', async () => {
    expect(await codes('{{/* x */}}')).toEqual(['template-empty']);
  });

  it('a broken template is an error with its place', async () => {
    const [problem] = await problems('steps:\n  - cmd: {{if .Values.x}}\n');
    expect(problem === undefined ? '' : renderDiagnostic(problem)).toMatch(/^acr-task\.yaml:\d+:\d+: error: /);
  });

  it('renderTask leaves aliases alone when asked', async () => {
    const inputs: TaskInputs = inputsOf('version: v1.1.0\nsteps:\n  - cmd: $ID {{.Run.ID}}\n');
    expect(await renderTask(inputs, { aliases: false })).toMatchObject({
      ok: true,
      value: { value: 'version: v1.1.0\nsteps:\n  - cmd: $ID r1\n' },
    });
    expect(await renderTask(inputs, { aliases: true })).toMatchObject({
      ok: true,
      value: { value: 'version: v1.1.0\nsteps:\n  - cmd: r1 r1\n' },
    });
  });
});

describe('secrets between the two renderings', () => {
  const TEXT = 'secrets:\n  - id: "{{.Run.ID}}_{{.Values.name}}"\n    keyvault: env://X\nsteps:\n  - cmd: x {{index .Secrets "r1_my"}}\n';

  it('are resolved by the ids and places that the first rendering shows', async () => {
    const asked: unknown[] = [];
    const resolveSecrets: TaskInputs['resolveSecrets'] = (references) => {
      asked.push(...references.map(({ id, keyvault }) => [id, keyvault]));
      return Promise.resolve(new Map([['r1_my', 'word']]));
    };
    const task = await load(TEXT, { set: ['name=my'], resolveSecrets });
    expect(asked).toEqual([['r1_my', 'env://X']]);
    expect(task.steps[0]).toMatchObject({ cmd: 'x word' });
  });

  it('are empty where nobody resolves them', async () => {
    expect((await load(TEXT, { set: ['name=my'] })).steps[0]).toMatchObject({ cmd: 'x' });
  });

  it('are not asked for when the word appears but none is declared', async () => {
    const resolveSecrets = (): Promise<never> => Promise.reject(new Error('must not be called'));
    expect((await load('steps:\n  - id: secrets\n    cmd: a\n', { resolveSecrets })).steps).toHaveLength(1);
  });

  it('are not asked for when their declaration is wrong', async () => {
    const resolveSecrets = (): Promise<never> => Promise.reject(new Error('must not be called'));
    expect(await codes('secrets: [{id: a}]\n', { resolveSecrets })).toEqual(['secret-missing-keyvault']);
  });
});
