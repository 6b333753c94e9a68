import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StepLogs } from '../../../src/cli/reporters/step-logs.ts';
import type { RunFact } from '../../../src/model/run-event.ts';
import { numbered } from '../recorded-run.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-logs-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const started: RunFact = {
  type: 'run-started',
  task: 't',
  registry: '',
  engine: 'e',
  steps: ['a', '../b'].map((id) => ({ id, kind: 'cmd', needs: [] })),
};
const output = (step: string, text: string, partial = false): RunFact => ({
  type: 'step-output',
  step,
  attempt: 1,
  stream: 'stdout',
  text,
  ...(partial ? { partial: true } : {}),
});
const finished = (step: string): RunFact => ({ type: 'step-finished', step, status: 'succeeded', attempts: 1, durationMs: 1 });

async function write(logs: StepLogs, ...facts: readonly RunFact[]): Promise<void> {
  for (const event of numbered(facts)) await logs.write(event);
}

test('each step with output has a file with all of it, below the folder whatever its id', async () => {
  const logs = new StepLogs(join(folder, 'run'), () => undefined);
  await write(logs, started, output('a', 'one\ntwo'), output('../b', 'pro', true), output('../b', 'mpt'), finished('a'));
  // A detached step speaks on after its end.
  await write(logs, output('a', 'three'));
  await logs.close();
  expect(await readdir(join(folder, 'run'))).toEqual(['1-a.log', '2-.._b.log']);
  expect(await readFile(logs.fileOf('a') ?? '', 'utf8')).toBe('one\ntwo\nthree\n');
  expect(await readFile(logs.fileOf('../b') ?? '', 'utf8')).toBe('prompt\n');
});

test('what a detached step says after its end stands below what it said before, however much is still to be written', async () => {
  const logs = new StepLogs(join(folder, 'run'), () => undefined);
  const long = `${'x'.repeat(8 * 1024 * 1024)}\n`;
  for (const event of numbered([started, output('a', long), finished('a'), output('a', 'last')])) void logs.write(event);
  await logs.close();
  const text = await readFile(logs.fileOf('a') ?? '', 'utf8');
  expect([text.length, text.endsWith('\nlast\n')]).toEqual([long.length + 6, true]);
});

test('a run without output leaves no folder', async () => {
  const logs = new StepLogs(join(folder, 'run'), () => undefined);
  await write(logs, started, finished('a'));
  await logs.close();
  expect(await readdir(folder)).toEqual([]);
  expect(logs.hasFiles).toBe(false);
  expect(logs.fileOf('a')).toBeUndefined();
});

test('a writer that is ahead of the disk waits, and nothing is lost', async () => {
  const logs = new StepLogs(folder, () => undefined);
  const chunk = `${'x'.repeat(1023)}\n`.repeat(256).slice(0, -1);
  await write(logs, started);
  let waited = 0;
  for (let index = 0; index < 200; index += 1) {
    const [event] = numbered([output('a', chunk)]);
    const taken = event === undefined ? undefined : logs.write(event);
    if (taken !== undefined) waited += 1;
    await taken;
  }
  await logs.close();
  expect(waited).toBeGreaterThan(0);
  expect((await readFile(logs.fileOf('a') ?? '')).length).toBe(200 * (chunk.length + 1));
});

test('a folder that cannot be made is told once and ends the logs, not the run', async () => {
  await writeFile(join(folder, 'file'), '');
  const said: string[] = [];
  const logs = new StepLogs(join(folder, 'file', 'run'), (message) => said.push(message));
  await write(logs, started, output('a', 'x'), output('a', 'y'));
  await logs.close();
  expect(said).toEqual([expect.stringContaining('logs cannot be written')]);
  expect(logs.hasFiles).toBe(false);
});

test('a place that takes no folders ends the logs, not the run', async () => {
  const warnings: string[] = [];
  const logs = new StepLogs('/proc/slipway/run', (message) => warnings.push(message));
  await write(logs, started, output('a', 'one'), finished('a'));
  await logs.close();
  expect([warnings, logs.hasFiles]).toEqual([[expect.stringContaining('logs cannot be written to /proc/slipway/run')], false]);
});
