import { describe, expect, it } from 'vitest';
import { lintTask } from '../../src/task/lint-task.ts';
import { inputsOf } from './task-inputs.ts';

async function lint(text: string, acr = false, extended = false): Promise<readonly string[]> {
  const said = await lintTask(inputsOf(text), { acr, extended });
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
      'warning push-bad-image: [Bad Name',
    ]);
  });

  it('puts errors of commands and of the file first, and keeps the warnings', async () => {
    expect(await lint('steps:\n  - {cmd: "a | b", wehn: [-]}\n')).toEqual(['error shell-operator: |', 'warning unknown-key: wehn']);
    expect(await lint('steps:\n  - {cdm: a}\n')).toEqual(['error step-missing-type: {cdm: a', 'warning unknown-key: cdm']);
  });
});
