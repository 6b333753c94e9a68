import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunEvent } from '../../../src/model/run-event.ts';
import { startDaemon, type TestDaemon } from '../../support/daemon.ts';
import { removeImages } from '../../support/remove-images.ts';
import { projectRoot } from '../../support/task-program.ts';
import { folderWith, runTask, startTask } from '../task-process.ts';

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(async () => {
  await removeImages(['slipway-cli-remote:test']);
  await daemon[Symbol.asyncDispose]();
});

type Options = Parameters<typeof runTask>[1];
const withData = (options: Options = {}): Options => ({ ...options, env: { SLIPWAY_DATA: daemon.data, ...options.env } });
const task = (args: readonly string[], options: Options = {}) => runTask(args, withData(options));

async function json<Value>(args: readonly string[]): Promise<Value> {
  const { code, stdout, stderr } = await task([...args, '--output', 'json']);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return JSON.parse(stdout) as Value;
}

const step = (script: string, extra = ''): string =>
  `version: v1.1.0\nsteps:\n  - id: one\n    cmd: busybox:local sh -c "${script}"\n${extra}`;

test('a folder is sent, run and printed as a run of this machine is; the same folder is not sent again', async () => {
  const cwd = folderWith({
    'acr-task.yaml': step('cat /workspace/sub/f; ls -a /workspace'),
    'sub/f': 'grüße\n',
    '.git/HEAD': 'x',
    '.dockerignore': '*.tmp\n',
    'a.tmp': '',
  });
  const env = { SLIPWAY_SERVER: daemon.url, SLIPWAY_TOKEN: daemon.token };
  const first = await task(['run'], { cwd, env });
  expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining('sent') });
  expect(first.stdout).toMatch(/one \| grüße\n/);
  for (const absent of ['.git', 'a.tmp']) expect(first.stdout).not.toContain(absent);
  expect(first.stdout).toContain('Succeeded in');
  const second = await task(['run', '--remote', '.'], { cwd });
  expect(second).toMatchObject({ code: 0, stderr: expect.stringContaining('unchanged') });
  const local = await runTask(['run', '--no-remote', '--dry-run'], { cwd, env });
  expect(local.code).toBe(0);
});

test('the exit code is that of the run', async () => {
  const exits = ['true', 'exit 3'].map((script) => task(['run', '--remote', '--cmd', `busybox:local sh -c '${script}'`, '/dev/null']));
  expect((await Promise.all(exits)).map(({ code }) => code)).toEqual([0, 1]);
  const bad = await task(['run', '--remote', '--file', '-', '/dev/null'], { input: 'steps:\n  - cmdx: a\n' });
  expect(bad.code).toBe(1);
  expect(bad.stdout).toContain('[bad-task]');
});

test('a task runs by its name, with what is different this time', async () => {
  const file = folderWith({
    't.yaml': step('echo tag={{.Values.tag}} secret=$S; cat /workspace/note', '    env: ["S={{.Values.pw}}"]\n'),
    'values.yaml': 'tag: default\npw: none\n',
  });
  expect((await task(['create', 'named', '-f', 't.yaml', '--values', 'values.yaml'], { cwd: file })).code).toBe(0);
  const context = folderWith({ note: 'from the folder\n' });
  const run = await task(['run', 'named', '--context', '.', '--set', 'tag=7', '--set-secret', 'pw=env:PW'], {
    cwd: context,
    env: { PW: 'pass-word-1' },
  });
  expect(run).toMatchObject({ code: 0 });
  expect(run.stdout).toContain('tag=7');
  expect(run.stdout).toContain('from the folder');
  expect(run.stdout).not.toContain('pass-word-1');
  const there = folderWith({ 'named/task.yaml': step('echo here') });
  expect((await task(['run', 'named', '--dry-run'], { cwd: there })).stdout).toContain('echo here');
  expect((await task(['run', '--task', 'named', '--output', 'quiet'], { cwd: there })).code).toBe(1);
  const nowhere = await task(['run', 'nothing-of-that-name']);
  expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('no file or folder "nothing-of-that-name" here, and no task') });
  const alone = await runTask(['run', 'nothing-of-that-name'], { env: { SLIPWAY_DATA: folderWith({ 'slipway.sock': 'stale' }) } });
  expect(alone).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no folder nothing-of-that-name') });
});

test('flags that mean nothing on a daemon are refused', async () => {
  const refused = await task(['run', '--remote', '--watch', '--parallel', '2', '/dev/null']);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--parallel, --watch work only for runs on this machine') });
});

test('without waiting the id is printed; the log is byte-exact, by step and as JSON', async () => {
  const text = step("printf 'a\\\\377\\\\033[31mb\\\\r\\\\n'; echo done", '  - id: two\n    cmd: busybox:local echo second\n');
  const queued = await task(['run', '--remote', '--no-wait', '--file', '-', '/dev/null', '--idempotency-key', 'once'], { input: text });
  const id = queued.stdout.trim();
  expect(id).toMatch(/^r[a-z0-9]{4,}$/);
  const again = await task(['run', '--remote', '--no-wait', '--file', '-', '/dev/null', '--idempotency-key', 'once'], { input: text });
  expect(again.stdout.trim()).toBe(id);
  const followed = await task(['logs', id, '--follow', '--json']);
  const bytes = followed.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly step: string; readonly text?: string; readonly base64?: string })
    .map((line) => [line.step, line.base64 === undefined ? Buffer.from(line.text ?? '') : Buffer.from(line.base64, 'base64')] as const);
  const ofStep = (step: string): string =>
    Buffer.concat(bytes.filter(([name]) => name === step).map(([, part]) => part)).toString('latin1');
  expect(ofStep('one')).toBe('a\xff\x1b[31mb\r\ndone\n');
  expect(ofStep('two')).toBe('second\n');
  expect((await task(['logs', '--run', id, '--step', 'two'])).stdout).toBe('second\n');
  const whole = await task(['logs', id]);
  expect(whole.stdout).toContain('\x1b[31mb\r\ndone\n');
  expect((await task(['logs', 'rzzzz'])).stderr).toContain('[not-found]');
});

test('runs are listed, shown, archived, repeated and cancelled', async () => {
  expect((await task(['create', 'quick', '--cmd', 'busybox:local true'])).code).toBe(0);
  for (let count = 0; count < 3; count += 1) await task(['run', 'quick', '-q']);
  const runs = await json<readonly { readonly runId: string; readonly task: string; readonly status: string }[]>([
    'list-runs',
    '--task',
    'quick',
  ]);
  expect(runs.map(({ status }) => status)).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
  const page = await json<readonly { readonly runId: string }[]>(['list-runs', '--task', 'quick', '--top', '2', '--page', '2']);
  expect(page.map(({ runId }) => runId)).toEqual([runs[2]?.runId]);
  expect((await task(['list-runs', '--task', 'quick', '--top', '2'])).stderr).toContain('--page 2');
  expect((await task(['list-runs', '--task', 'quick', '--status', 'failed', '--since', '1h'])).stderr).toContain('No run fits');
  const [last] = runs;
  const shown = await task(['show-run', 'last', '--task', 'quick']);
  expect(shown.stdout).toContain(last?.runId ?? 'none');
  expect(shown.stdout).toContain('succeeded');
  expect((await task(['update-run', '--run-id', last?.runId ?? '', '--archive'])).code).toBe(0);
  expect(await json(['list-runs', '--archived'])).toMatchObject([{ runId: last?.runId }]);
  expect((await task(['rerun', last?.runId ?? '', '--no-format'])).stdout).toContain('Succeeded');
  expect((await task(['cancel-run', last?.runId ?? ''])).stdout).toContain('had ended already');
});

test('a paused queue says so to who waits; cancelling ends the wait', async () => {
  expect((await task(['pause', '--reason', 'upgrade'])).code).toBe(0);
  try {
    const waiting = startTask(['run', '--remote', '--cmd', 'busybox:local true', '/dev/null'], withData());
    await waiting.waitFor('waiting, position 1');
    expect((await task(['queue'])).stdout).toMatch(/paused: upgrade[\s\S]*ra?\w+/);
    const [run] = await json<readonly { readonly runId: string }[]>(['list-runs', '--status', 'Queued']);
    await task(['cancel-run', run?.runId ?? '', '--reason', 'no longer wanted']);
    expect((await waiting.finished).code).toBe(130);
    const timed = await task(['run', '--remote', '--queue-timeout', '1', '--cmd', 'busybox:local true', '/dev/null']);
    expect(timed.code).toBe(124);
  } finally {
    await task(['resume']);
  }
});

test('without a terminal Ctrl-C cancels the run', async () => {
  const run = startTask(['run', '--remote', '--output', 'json', '--cmd', 'busybox:local sleep 300', '/dev/null'], withData());
  await run.waitFor('step-started');
  run.process.kill('SIGINT');
  const { code, stdout } = await run.finished;
  expect(code).toBe(130);
  const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as RunEvent;
  expect(last).toMatchObject({ type: 'run-finished', status: 'Canceled' });
});

test('a hang-up leaves the run alone', async () => {
  const run = startTask(['run', '--remote', '--output', 'json', '--cmd', 'busybox:local sleep 300', '/dev/null'], withData());
  await run.waitFor('step-started');
  run.process.kill('SIGHUP');
  await run.finished;
  const [left] = await json<readonly { readonly runId: string; readonly status: string }[]>(['list-runs', '--top', '1']);
  expect(left?.status).toBe('Running');
  await task(['cancel-run', left?.runId ?? '']);
});

/** The program on a terminal of its own (util-linux's `script`), whose keys are written as texts appear. */
async function onTerminal(args: readonly string[], keys: readonly (readonly [string, string])[]) {
  const command = [`${projectRoot}/bin/task`, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { PATH: process.env['PATH'] ?? '', HOME: folderWith({}), SLIPWAY_DATA: daemon.data, TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const left = [...keys];
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    const [next] = left;
    if (next === undefined || !shown.includes(next[0])) return;
    left.shift();
    shown = '';
    child.stdin.write(next[1]);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, left, shown };
}

test('at a terminal Ctrl-C asks: leaving lets the run go on, Ctrl-C again or c cancels it', async () => {
  const args = ['run', '--remote', '--cmd', 'busybox:local sleep 300', '/dev/null'];
  const question = 'only leave it (l)';
  const newest = async () => (await json<readonly { readonly runId: string; readonly status: string }[]>(['list-runs', '--top', '1']))[0];
  const leave = await onTerminal(args, [
    ['of 1 step done', '\x03'],
    [question, 'l'],
  ]);
  expect(leave).toMatchObject({ code: 130, left: [] });
  expect(leave.shown).toContain('the run goes on');
  const run = await newest();
  expect(run?.status).toBe('Running');
  await task(['cancel-run', run?.runId ?? '']);
  for (const key of ['c', '\x03']) {
    const canceled = await onTerminal(args, [
      ['of 1 step done', '\x03'],
      [question, key],
    ]);
    expect(canceled).toMatchObject({ code: 130, left: [] });
    expect((await newest())?.status).toBe('Canceled');
  }
});

test('a build sends its context and a Dockerfile from outside', async () => {
  const cwd = folderWith({ 'docker/Dockerfile': 'FROM busybox:local\nCOPY note /note\nRUN cat /note\n', 'app/note': 'built far away\n' });
  const built = await task(['build', '--remote', '-f', 'docker/Dockerfile', '-t', 'slipway-cli-remote:test', 'app'], { cwd });
  expect(built).toMatchObject({ code: 0 });
  const label = await task(['build', '--remote', '--label', 'a=b', 'app'], { cwd });
  expect(label).toMatchObject({ code: 2, stderr: expect.stringContaining('--label works only') });
});

test('a context over the limit names what is large', async () => {
  await using small = await startDaemon({ env: { SLIPWAY_UPLOAD_LIMIT: '1MiB' } });
  const cwd = folderWith({ 'task.yaml': step('true') });
  await mkdir(join(cwd, 'data'));
  await writeFile(join(cwd, 'data/large.bin'), Buffer.alloc(3_000_000, 'x'));
  const refused = await runTask(['run', '--remote', '.'], { cwd, env: { SLIPWAY_DATA: small.data } });
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('[too-large]') });
  expect(refused.stderr).toContain('data/large.bin (3.0 MB)');
});

test('a run is followed over a restart of the daemon', async () => {
  await using other = await startDaemon();
  const env = { SLIPWAY_DATA: other.data };
  const run = startTask(
    ['run', '--remote', '--output', 'json', '--cmd', "busybox:local sh -c 'echo before; sleep 6; echo after'", '/dev/null'],
    { env },
  );
  await run.waitFor('"before"');
  await other.kill();
  await other.start();
  const { code, stdout } = await run.finished;
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent);
  const said = events.filter((event) => event.type === 'step-output').map((event) => event.text);
  expect({ code, said }).toEqual({ code: 0, said: ['before', 'after'] });
});

test('the reader of the output may go away', async () => {
  const run = startTask(['logs', 'last'], withData());
  run.process.stdout?.destroy();
  await once(run.process, 'close');
  expect((await run.finished).stderr).not.toContain('EPIPE');
});
