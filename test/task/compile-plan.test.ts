import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../src/model/diagnostic.ts';
import type { Plan, PlanStep } from '../../src/model/plan.ts';
import { compilePlan } from '../../src/task/compile-plan.ts';
import { loadTask } from '../../src/task/load-task.ts';
import { inputsOf } from './task-inputs.ts';

interface Compiled {
  readonly plan: Plan | undefined;
  readonly said: readonly Diagnostic[];
}

async function compile(text: string, extended = false): Promise<Compiled> {
  const loaded = await loadTask(inputsOf(text));
  if (!loaded.ok) throw new Error(loaded.error.map(({ message }) => message).join('\n'));
  const compiled = compilePlan(loaded.value.value, { extended });
  return compiled.ok ? { plan: compiled.value.value, said: compiled.value.warnings } : { plan: undefined, said: compiled.error };
}

async function step(text: string, others = ''): Promise<PlanStep> {
  const { plan, said } = await compile(`${others}steps:\n  - ${text}\n`);
  const [first] = plan?.steps ?? [];
  if (first === undefined) throw new Error(said.map(({ message }) => message).join('\n'));
  return first;
}

async function container(text: string, others = ''): Promise<Extract<PlanStep, { kind: 'cmd' }>['container']> {
  const planned = await step(text, others);
  if (planned.kind !== 'cmd') throw new Error('no cmd step');
  return planned.container;
}

describe('containers', () => {
  it('have the home first, then the environment without its quoting', async () => {
    expect(
      await container(`{cmd: "hello-world a 'b c'", id: id, env: [foo=bar, "MSG='a b'", HOME=qux], workingDirectory: stepWorkDir}`),
    ).toEqual({
      image: 'hello-world',
      args: ['a', 'b c'],
      env: ['HOME=/acb/home', 'foo=bar', 'MSG=a b', 'HOME=qux'],
      workdir: '/workspace/stepWorkDir',
      network: { kind: 'task', name: 'acb_default_network' },
      ports: [],
      expose: [],
      privileged: false,
      volumeMounts: [],
      extra: {},
    });
  });

  it.each([
    ['/a//b/../c', '/a/c'],
    ['../x', '/x'],
    ['..', '/'],
    ['""', '/workspace'],
    ['"\'a b\'"', '/workspace/a b'],
  ])('working directory %s is %s', async (written, expected) => {
    expect((await container(`{cmd: a, workingDirectory: ${written}}`)).workdir).toBe(expected);
  });

  it('may leave the working directory to the image', async () => {
    expect(await container('{cmd: a, workingDirectory: b, disableWorkingDirectoryOverride: true}')).not.toHaveProperty('workdir');
  });

  it('take flags before the image after the properties of the step', async () => {
    const planned = await step('{cmd: "-it -d --memory 1g -e A=1 -p 1:2 --user 5 img arg", user: "4", ports: ["3:4"], env: [A=0]}');
    expect(planned).toMatchObject({
      kind: 'cmd',
      detach: true,
      container: {
        image: 'img',
        args: ['arg'],
        user: '5',
        ports: ['3:4', '1:2'],
        env: ['HOME=/acb/home', 'A=0', 'A=1'],
        extra: { tty: true, interactive: true, memory: '1g' },
      },
    });
  });

  it.each([
    ['', '{cmd: a}', { kind: 'task', name: 'acb_default_network' }],
    ['networks: [{name: n}]\n', '{cmd: a}', { kind: 'default' }],
    ['networks: [{name: n}]\n', '{cmd: a, network: n}', { kind: 'task', name: 'n' }],
    ['networks: [{name: n, skipCreation: true, isDefault: true}]\n', '{cmd: a}', { kind: 'mode', mode: 'n' }],
    ['', '{cmd: a, network: host}', { kind: 'mode', mode: 'host' }],
    ['', '{cmd: "--network none a"}', { kind: 'mode', mode: 'none' }],
  ])('%j %s: %j', async (networks, text, expected) => {
    expect((await container(text, networks)).network).toEqual(expected);
  });

  it('run a list of words without a shell, and a script with a shell that stops at the first failure', async () => {
    expect(await container('cmd: [alpine, echo, "$HOME > x"]')).toMatchObject({ image: 'alpine', args: ['echo', '$HOME > x'] });
    expect(await container('{image: alpine, script: "ls\\npwd"}')).toMatchObject({
      image: 'alpine',
      entrypoint: ['/bin/sh', '-ec'],
      args: ['ls\npwd'],
    });
    expect(await container('{image: alpine, script: ls, entryPoint: /bin/bash}')).toMatchObject({ entrypoint: ['/bin/bash', '-ec'] });
    expect(await container('{cmd: a b, entryPoint: /bin/x}')).toMatchObject({ entrypoint: ['/bin/x'], args: ['b'] });
  });

  it('carry every property', async () => {
    const text =
      'cmd: a\n    pull: true\n    cmdDownloadRetries: 2\n    cmdDownloadRetryDelay: 3\n    keep: true\n    detach: true\n    privileged: true\n    user: "1:2"\n    isolation: default\n    cpus: 1.5\n    expose: ["80"]\n    volumeMounts: [{name: v, mountPath: /x}, {name: v, mountPath: /y}]';
    expect(await step(text, 'volumes: [{name: v, secret: {f: YQ==}}]\n')).toMatchObject({
      pull: { retries: 2, retryDelayMs: 3000 },
      keep: true,
      detach: true,
      container: {
        privileged: true,
        user: '1:2',
        isolation: 'default',
        cpus: '1.5',
        expose: ['80'],
        volumeMounts: [
          { name: 'v', mountPath: '/x' },
          { name: 'v', mountPath: '/y' },
        ],
      },
    });
  });

  it('point at what is wrong in a command', async () => {
    const { said } = await compile('steps:\n  - cmd: bash echo hi > f\n  - cmd: "   "\n  - cmd: --nosuch a\n');
    expect(said.map(({ code, severity }) => `${severity} ${code}`)).toEqual([
      'error shell-operator',
      'error cmd-no-image',
      'error flag-unknown',
    ]);
    const [operator] = said;
    expect(operator?.range?.source.text.slice(operator.range.start, operator.range.end)).toBe('>');
  });

  it('point at a quote that is never closed', async () => {
    const { said } = await compile('steps:\n  - cmd: a\n    env: ["A=\'b"]\n');
    expect(said.map(({ code }) => code)).toEqual(['property-bad-quoting']);
  });
});

describe('builds, pushes, volumes and networks', () => {
  it('builds are taken apart, with the name of their cache', async () => {
    expect(
      await step('{id: bc, build: "-t r.io/team/app:1 --build-arg A=1 .", cache: Enabled, workingDirectory: src, env: [X=1]}'),
    ).toMatchObject({
      kind: 'build',
      build: {
        tags: ['r.io/team/app:1'],
        buildArgs: ['A=1'],
        cacheRef: 'r.io/team/app:cache_quickrun_bc',
        workdir: '/workspace/src',
        env: ['X=1'],
      },
    });
  });

  it('pushes ignore retries and repeats', async () => {
    const { plan } = await compile('steps:\n  - {push: [a, "B:1"], retries: 3, repeat: 2, retryOnErrors: [x]}\n');
    expect(plan?.steps[0]).toMatchObject({ kind: 'push', images: ['a:latest', 'B:1'], retries: 0, repeat: 0, retryOnErrors: [] });
  });

  it('volumes hold clean base64', async () => {
    const { plan } = await compile('volumes:\n  - name: v\n    secret:\n      f: |\n        YWJj\n        ZGVm\n');
    expect(plan?.volumes).toEqual([{ name: 'v', files: { f: 'YWJjZGVm' } }]);
    const { said } = await compile('volumes: [{name: v, secret: {f: this is a test}}]\n');
    expect(said.map(({ code }) => code)).toEqual(['volume-bad-base64']);
  });

  it('networks that exist are marked, and one without a name is refused', async () => {
    const { plan } = await compile('networks: [{name: n, ipv6: true}, {name: m, skipCreation: true, driver: nat}]\n');
    expect(plan?.networks).toEqual([
      { name: 'n', driver: '', ipv6: true, existing: false },
      { name: 'm', driver: 'nat', ipv6: false, existing: true },
    ]);
    expect((await compile('networks: [{driver: bridge}]\n')).said.map(({ code }) => code)).toEqual(['network-missing-name']);
  });

  it('exit codes decide only when extensions are on', async () => {
    const text = 'steps: [{cmd: a, exitedWith: [0, 3], exitedWithout: [1]}]\n';
    expect((await compile(text)).plan?.steps[0]).not.toHaveProperty('edgeCondition');
    expect((await compile(text, true)).plan?.steps[0]).toMatchObject({ edgeCondition: { exitedWith: [0, 3], exitedWithout: [1] } });
  });

  it('a plan is plain JSON', async () => {
    const { plan } = await compile('steps: [{cmd: a, pull: true}, {build: .}, {push: [a]}]\n');
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });
});

describe('graphs', () => {
  it('steps wait only for steps above them, and weigh more than every step that waits for them', async () => {
    const graphs = fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(graphs, async (choices) => {
        const lines = choices.map((picks, index) => {
          const when = index === 0 || picks.length === 0 ? '"-"' : picks.map((pick) => `s${pick % index}`).join(', ');
          return `  - {id: s${index}, cmd: a, when: [${when}]}`;
        });
        const { plan } = await compile(`steps:\n${lines.join('\n')}\n`);
        const weights = new Map<string, number>();
        for (const { id, needs, weight } of plan?.steps ?? []) {
          expect(new Set(needs).size).toBe(needs.length);
          for (const need of needs) expect(weights.get(need)).toBeGreaterThan(weight);
          weights.set(id, weight);
        }
        expect(weights.size).toBe(choices.length);
      }),
      { numRuns: 50 },
    );
  });

  it('ten thousand steps in a chain and five hundred joined by one', async () => {
    const chain = Array.from({ length: 10_000 }, (_, index) => `  - {id: c${index}, cmd: a}\n`).join('');
    expect((await compile(`steps:\n${chain}`)).plan?.steps[0]?.weight).toBe(10_000);
    const roots = Array.from({ length: 500 }, (_, index) => `  - {id: r${index}, cmd: a, when: [-]}\n`).join('');
    const all = Array.from({ length: 500 }, (_, index) => `r${index}`).join(', ');
    expect((await compile(`steps:\n${roots}  - {id: join, cmd: a, when: [${all}]}\n`)).plan?.steps.at(-1)?.needs).toHaveLength(500);
  });
});
