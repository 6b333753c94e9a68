import { describe, expect, it } from 'vitest';
import type { RunVariables } from '../../src/model/run-variables.ts';
import { lintTask } from '../../src/task/lint-task.ts';
import { inputsOf } from './task-inputs.ts';

async function lint(text: string, acr = false, extended = false, run: Partial<RunVariables> = {}): Promise<readonly string[]> {
  const inputs = inputsOf(text);
  const said = await lintTask({ ...inputs, run: { ...inputs.run, ...run } }, { acr, extended });
  return said.map(({ severity, code, range }) => `${severity} ${code}: ${range?.source.text.slice(range.start, range.end)}`);
}

describe('lintTask', () => {
  it('is silent about a good file', async () => {
    expect(
      await lint('version: v1.1.0\nalias: {values: {a: b}}\nsteps:\n  - cmd: $a\n  - {push: [c], ignoreErrors: true, timeout: 5}\n', true),
    ).toEqual([]);
  });

  it('warns of unknown keys and of properties without effect', async () => {
    const text =
      'totalTimeout: 1\nsteps:\n  - {cmd: a, cache: enabled, image: x}\n  - {build: ., detach: true, entryPoint: x, pul: true}\n  - {push: [a], retries: 1, env: [A=1]}\n';
    expect(await lint(text)).toEqual([
      'warning unknown-key: totalTimeout',
      'warning unknown-key: pul',
      'warning property-without-effect: cache',
      'warning property-without-effect: image',
      'warning property-without-effect: detach',
      'warning property-without-effect: entryPoint',
      'warning property-without-effect: retries',
      'warning property-without-effect: env',
    ]);
  });

  it('says that conditions on exit codes need --extended', async () => {
    const text = 'steps:\n  - {id: a, cmd: a}\n  - {cmd: b, when: [a], exitedWith: [1]}\n  - {cmd: c, when: [a], exitedWithout: [1]}\n';
    expect(await lint(text)).toEqual(['warning property-without-effect: exitedWith', 'warning property-without-effect: exitedWithout']);
    expect(await lint(text, false, true)).toEqual([]);
  });

  it('warns of ports and processors that no engine takes', async () => {
    const text = 'steps:\n  - {cmd: a, ports: ["8080:80", "80:80:80:80", "x"], expose: ["70000"], cpus: many}\n';
    expect(await lint(text)).toEqual([
      'warning word-refused: 80:80:80:80',
      'warning word-refused: x',
      'warning word-refused: 70000',
      'warning word-refused: many',
    ]);
    expect(await lint('steps:\n  - {cmd: a, ports: ["127.0.0.1:8080-8081:80-81/udp", $P], expose: ["1-9/tcp"], cpus: 0.5}\n')).toEqual([]);
  });

  it('warns of keys that are written twice, and not of what a merge brings', async () => {
    expect(await lint('env: [A=1]\nsteps:\n  - {id: a, cmd: a, cmd: b}\nenv: [A=2]\n')).toEqual([
      'warning duplicate-key: env',
      'warning duplicate-key: cmd',
    ]);
    expect(await lint('steps:\n  - &base {id: a, cmd: a}\n  - {<<: *base, id: b}\n')).toEqual([]);
  });

  it('says that an alias block is ignored', async () => {
    expect(await lint('alias: {values: {a: b}}\nsteps: [{cmd: a}]\n')).toEqual(['warning alias-needs-version: alias']);
  });

  it('finds extensions only when asked', async () => {
    const text = 'stepTimeout: 5m\nsteps:\n  - {cmd: [a, b], retryDelay: 1s, timeout: 60}\n  - {image: i, script: s}\n';
    expect(await lint(text)).toEqual([]);
    expect(await lint(text, true)).toEqual([
      'warning acr-extension: 5m',
      'warning acr-extension: [a, b',
      'warning acr-extension: 1s',
      'warning acr-extension: i',
      'warning acr-extension: s',
    ]);
  });

  it('reports what is wrong with commands and with properties together, and each thing once', async () => {
    const text =
      'steps:\n  - {cmd: "a > f", retries: -1, timeout: "60"}\n  - {id: b, cmd: {c: d}}\n  - {id: c, cmd: ""}\n  - {id: d, push: [Bad Name], when: [nobody]}\n';
    expect(await lint(text)).toEqual([
      'error type-mismatch: 60',
      'error type-mismatch: {c: d',
      'error step-retries-negative: -1',
      'error step-missing-type: {id: c, cmd: "',
      'error when-unknown: nobody',
      'error shell-operator: >',
      'warning push-bad-image: Bad Name',
    ]);
  });

  it('puts errors of commands and of the file first, and keeps the warnings', async () => {
    expect(await lint('steps:\n  - {cmd: "a | b", wehn: [-]}\n')).toEqual(['error shell-operator: |', 'warning unknown-key: wehn']);
    expect(await lint('steps:\n  - {cdm: a}\n')).toEqual(['error step-missing-type: {cdm: a', 'warning unknown-key: cdm']);
  });

  it('says of each property of a container that a build does not have one, and what a build has instead', async () => {
    const names = ['network', 'user', 'isolation', 'cpus', 'entryPoint'].map((name) => `${name}: x`);
    const others = 'privileged: true, keep: true, detach: true, pull: true, disableWorkingDirectoryOverride: true, ports: [x], expose: [x]';
    const mounts = 'volumeMounts: [{name: v, mountPath: /v}]';
    const text = `volumes: [{name: v, secret: {f: YQ==}}]\nsteps:\n  - {build: ., ${names.join(', ')}, ${others}, ${mounts}, env: [A=1], workingDirectory: a}\n`;
    const said = await lintTask(inputsOf(text), { acr: false, extended: false });
    expect(said.map(({ code }) => code)).toEqual(said.map(() => 'property-without-effect'));
    expect(said.map(({ message }) => message.replace(' has no effect on a build step.', '')).toSorted()).toEqual(
      'cpus detach disableWorkingDirectoryOverride entryPoint expose isolation keep network ports privileged pull user volumeMounts'
        .split(' ')
        .map((name) => `\`${name}\``),
    );
    expect(said.find(({ message }) => message.startsWith('`network`'))?.help).toContain('--network');
  });

  it('points at the name that cannot be pushed and at the content that is no base64', async () => {
    expect(await lint('steps:\n  - push:\n    - good\n    - Bad\n    - r.io/:1\n')).toEqual([
      'warning push-bad-image: Bad',
      'warning push-bad-image: r.io/:1',
    ]);
    expect(await lint('volumes:\n  - name: v\n    secret:\n      a: YWJj\n      b: no base64\n')).toEqual([
      'error volume-bad-base64: no base64',
    ]);
  });

  it('says once a place that the run has no registry', async () => {
    const text = `version: v1.1.0
steps:
  - {build: -t $Registry/app:1 -t $Registry/app:2 ., cache: enabled}
  - cmd: $Registry/app:1 test
  - push: [$Registry/app:1, other]
`;
    expect(await lint(text, false, false, { Registry: '', RegistryName: '' })).toEqual([
      'warning registry-missing: /app:1',
      'warning registry-missing: -t $Registry/app:1 -t $Registry/app:2 .',
      'warning registry-missing: /app:1 test',
    ]);
    expect(await lint(text)).toEqual([]);
  });

  it('warns of an isolation that Linux does not have', async () => {
    const text = 'steps:\n  - {cmd: a, isolation: hyperv}\n  - {build: --isolation=process .}\n  - {cmd: b, isolation: default}\n';
    expect(await lint(text)).toEqual(['warning isolation-unsupported: a', 'warning isolation-unsupported: --isolation=process .']);
    expect(await lint(text, false, false, { OS: 'windows' })).toEqual([]);
  });
});
