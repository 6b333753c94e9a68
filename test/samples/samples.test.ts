import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it, test } from 'vitest';
import { runTask } from '../cli/task-process.ts';
import { sampleRuns } from './sample-runs.ts';
import { checkAgainstSchema } from './task-file-schema.ts';

const SAMPLES = sampleRuns({
  registry: 'localhost:5000',
  mirror: 'localhost:5001',
  repository: 'https://git.example.com/owner/repo.git#main:app',
});
/** Templates that make structure: the file itself is no YAML. */
const NO_YAML = ['10-values', '11-matrix'];

describe.each(SAMPLES)('$name', ({ name, folder, args, env }) => {
  const source = readFileSync(`${folder}/acr-task.yaml`, 'utf8');

  it('has nothing to complain about', async () => {
    expect(await runTask(['lint', '--acr', ...args], { env })).toMatchObject({
      code: 0,
      stdout: '✔ nothing to complain about\n',
      stderr: '',
    });
  });

  it('has a plan', async () => {
    const { code, stdout } = await runTask(['plan', '--output', 'json', '--run', 'ID=r1', ...args], { env });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      version: 'v1.1.0',
      steps: expect.arrayContaining([expect.objectContaining({ id: expect.any(String) })]),
    });
  });

  it('fits the schema after its templates are rendered', async () => {
    const { code, stdout } = await runTask(['render', '--run', 'ID=r1', ...args], { env });
    expect(code).toBe(0);
    expect(checkAgainstSchema(load(stdout))).toEqual([]);
  });

  it('says how to run it, and where its schema is', () => {
    expect(source.split('\n')[0]).toBe('# yaml-language-server: $schema=../../schemas/task.schema.json');
    expect(source).toContain(`task run samples/${name}`);
  });
});

test.each(SAMPLES.filter(({ name }) => !NO_YAML.includes(name)))('$name fits the schema as an editor sees it', ({ folder }) => {
  expect(checkAgainstSchema(load(readFileSync(`${folder}/acr-task.yaml`, 'utf8')))).toEqual([]);
});

test('the check of the schema finds mistakes', () => {
  expect(checkAgainstSchema({ steps: [{ cmd: 'a', wehn: ['-'] }] })).toHaveLength(1);
  expect(checkAgainstSchema({ steps: [{ id: 'a' }] })).toEqual(['steps.0: none of the kinds of steps']);
  expect(checkAgainstSchema({ steps: [{ cmd: 'a', timeout: '60' }] })).toHaveLength(1);
});
