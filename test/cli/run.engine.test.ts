import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../src/model/run-event.ts';
import { startRegistry } from '../support/registry-server.ts';
import { folderWith, type Running, runTask, startTask } from './task-process.ts';

const STUBBORN = `steps:
  - id: stubborn
    cmd: busybox:local sh -c 'trap "" TERM; echo up; while true; do sleep 0.1; done'
`;

function events(stdout: string): readonly RunEvent[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RunEvent);
}

function outputOf(all: readonly RunEvent[], step: string): readonly string[] {
  return all.flatMap((event) => (event.type === 'step-output' && event.step === step ? [event.text] : []));
}

/** Names of what the engine still has of a run. */
function leftOf(run: string): string {
  const filter = ['--filter', `label=dev.slipway.run=${run}`];
  const list = (...args: readonly string[]): string => spawnSync('docker', [...args, ...filter], { encoding: 'utf8' }).stdout;
  return list('ps', '-aq') + list('volume', 'ls', '-q') + list('network', 'ls', '-q');
}

function runIdOf(all: readonly RunEvent[]): string {
  expect(all[0]?.run).toMatch(/^[a-z0-9]{4,40}$/);
  return all[0]?.run ?? '';
}

test('a quick run of one container prints its output and leaves nothing', async () => {
  const { code, stdout } = await runTask(['run', '--cmd', "busybox:local sh -c 'echo a; echo b >&2'", '--output', 'json', '/dev/null']);
  const all = events(stdout);
  expect([code, outputOf(all, 'acb_step_0').toSorted()]).toEqual([0, ['a', 'b']]);
  expect(all.map(({ seq }) => seq)).toEqual(all.map(({ seq }) => seq).toSorted((x, y) => x - y));
  expect(leftOf(runIdOf(all))).toBe('');
});

test('the context is the workspace, values and environment arrive, and a failing step makes the exit code 1', async () => {
  const cwd = folderWith({
    'acr-task.yaml': `steps:
  - id: ok
    cmd: busybox:local sh -c 'cat data/x; echo $V {{.Values.who}} {{.Values.pass}}'
  - id: bad
    cmd: busybox:local sh -c 'echo no; exit 7'
`,
    'data/x': 'from the context\n',
  });
  const args = ['run', '--env', 'V=1', '--set', 'who=me', '--set-secret', 'pass=env:PASS', '--output', 'json'];
  const { code, stdout } = await runTask(args, { cwd, env: { PASS: 'hunter22' } });
  const all = events(stdout);
  expect(code).toBe(1);
  expect(outputOf(all, 'ok')).toEqual(['from the context', '1 me ***']);
  expect(stdout).not.toContain('hunter22');
  expect(all.at(-1)).toMatchObject({ type: 'run-finished', status: 'Failed', failure: { step: 'bad' } });
});

test('secrets of the task come from flags and providers and are hidden', async () => {
  const input = `secrets:
  - {id: one, keyvault: "https://vault.example/secrets/one"}
  - {id: two, keyvault: "env://TWO"}
steps:
  - cmd: busybox:local sh -c 'echo {{.Secrets.one}}-{{.Secrets.two}} | wc -c; echo {{.Secrets.two}}'
`;
  const env = { ONE: 'first-secret', TWO: 'second-secret' };
  const { code, stdout } = await runTask(['run', '-f', '-', '--secret', 'one=env:ONE', '--output', 'json', '/dev/null'], { env, input });
  expect([code, outputOf(events(stdout), 'acb_step_0')]).toEqual([0, ['27', '***']]);
  const mapped = ['run', '-f', '-', '--secret-map', 'https://vault.example/secrets/one=env://ONE', '-q', '/dev/null'];
  expect((await runTask(mapped, { env, input })).code).toBe(0);
  const missing = await runTask(['run', '-f', '-', '/dev/null'], { env, input });
  expect([missing.code, missing.stderr]).toEqual([3, expect.stringContaining('--secret-map')]);
});

test('logins by flag are hidden as they are and as docker writes them', async () => {
  const cwd = folderWith({ 'token.txt': 'token-from-file\n' });
  const logins = ['one.example=ann:env:PASSWORD', 'two.example=<token>:file:token.txt'].flatMap((text) => ['--registry-credential', text]);
  const cmd = "busybox:local sh -c 'cat ~/.docker/config.json; echo again: $0 $1' correct-horse token-from-file";
  const args = ['run', ...logins, '--cmd', cmd, '--output', 'plain', '/dev/null'];
  const { code, stdout } = await runTask(args, { cwd, env: { PASSWORD: 'correct-horse' } });
  expect(code).toBe(0);
  expect(stdout).toContain('"auth": "***"');
  expect(stdout).toContain('"identitytoken": "***"');
  expect(stdout).toContain('again: *** ***');
  expect(stdout).not.toMatch(/correct-horse|token-from-file/);
  expect(stdout).not.toContain(Buffer.from('ann:correct-horse').toString('base64'));
});

test('a secret that is too short to be hidden is named in a warning', async () => {
  const args = ['run', '--set-secret', 'pin=env:PIN', '--registry-credential', 'one.example=ann:env:PIN'];
  const { code, stderr } = await runTask([...args, '--cmd', 'busybox:local true', '/dev/null'], { env: { PIN: 'x7q' } });
  expect(code).toBe(0);
  expect(stderr).toContain('the secret "pin" has fewer than 4 bytes');
  expect(stderr).toContain('the secret "login of one.example" has fewer than 4 bytes');
  expect(stderr).not.toContain('x7q');
});

test('build with --push pushes and prints the digest; quiet prints nothing else', async () => {
  await using registry = await startRegistry();
  const cwd = folderWith({
    'docker/Dockerfile': 'FROM busybox:local\nARG A\nRUN --mount=type=secret,id=s cp /run/secrets/s /s && echo $A > /a\n',
  });
  writeFileSync(join(cwd, 'secret.txt'), 'file-secret');
  const flags = ['--build-arg', 'A=7', '--secret', 'id=s,src=secret.txt', '--registry', registry.host, '--push', '-q'];
  const { code, stdout, stderr } = await runTask(['build', '-t', 'cli-test/app:{{.Run.ID}}', ...flags, '-f', 'docker/Dockerfile', '.'], {
    cwd,
  });
  expect([code, stderr]).toEqual([0, '']);
  const reference = stdout.split('@')[0] ?? '';
  expect(reference).toMatch(/^127\.0\.0\.1:\d+\/cli-test\/app:[a-z0-9]+$/);
  expect(reference.startsWith(`${registry.host}/`)).toBe(true);
  expect(stdout).toMatch(/@sha256:[0-9a-f]{64}\n$/);
  const cat = spawnSync('docker', ['run', '--rm', reference, 'cat', '/a', '/s'], { encoding: 'utf8' });
  spawnSync('docker', ['rmi', '-f', reference]);
  expect(cat.stdout).toBe('7\nfile-secret');
});

test('--timeout ends the run with 124', async () => {
  const { code, stdout } = await runTask(['run', '-f', '-', '--timeout', '1s', '--output', 'json', '/dev/null'], { input: STUBBORN });
  expect([code, events(stdout).at(-1)]).toEqual([124, expect.objectContaining({ status: 'Timeout' })]);
});

/** A run whose one step is up and ignores SIGTERM. */
async function stubborn(): Promise<Running> {
  const running = startTask(['run', '-f', '-', '--output', 'json', '/dev/null'], { input: STUBBORN });
  await running.waitFor('"text":"up"');
  return running;
}

test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)('%s cancels, cleans up and says so', async (signal) => {
  const input = `steps: [{id: polite, cmd: "busybox:local sh -c 'trap \\"echo bye; exit 0\\" TERM; echo up; while true; do sleep 0.1; done'"}]`;
  const running = startTask(['run', '-f', '-', '--output', 'json', '/dev/null'], { input });
  await running.waitFor('"text":"up"');
  running.process.kill(signal);
  const { code, stdout, stderr } = await running.finished;
  expect([code, stderr]).toEqual([130, expect.stringContaining('Cancelling')]);
  expect(outputOf(events(stdout), 'polite')).toEqual(['up', 'bye']);
  expect(leftOf(runIdOf(events(stdout)))).toBe('');
});

test('a second Ctrl-C does not wait for the step and still removes everything', async () => {
  const running = await stubborn();
  const started = performance.now();
  running.process.kill('SIGINT');
  await new Promise<void>((resolve) => running.process.stderr?.once('data', () => resolve()));
  running.process.kill('SIGINT');
  const { code, stdout, stderr } = await running.finished;
  expect(performance.now() - started).toBeLessThan(6000);
  expect([code, stderr]).toEqual([130, expect.stringContaining('Leaving')]);
  expect(leftOf(runIdOf(events(stdout)))).toBe('');
});

test('what a killed run left is removed by the doctor', async () => {
  const running = await stubborn();
  running.process.kill('SIGKILL');
  const run = runIdOf(events((await running.finished).stdout));
  expect(leftOf(run)).not.toBe('');
  const leftovers = async (...flags: readonly string[]): Promise<string> =>
    JSON.stringify(
      JSON.parse((await runTask(['doctor', '--output', 'json', ...flags])).stdout).find(
        ({ code }: { code: string }) => code === 'leftovers',
      ),
    );
  const seen = await leftovers();
  expect(seen).toContain('"status":"warning"');
  expect(seen).toContain(run);
  expect(leftOf(run)).not.toBe('');
  expect(await leftovers('--fix')).toContain('removed');
  expect(leftOf(run)).toBe('');
});

test('a reader that goes away cancels the run', async () => {
  const input = 'steps: [{cmd: "busybox:local sh -c \'while echo up; do sleep 0.2; done\'"}]';
  const running = startTask(['run', '-f', '-', '--output', 'json', '/dev/null'], { input });
  await running.waitFor('"text":"up"');
  running.process.stdout?.destroy();
  const { code, signal } = await running.finished;
  expect([code, signal]).toEqual([130, null]);
});

test('the full output of a step is in its log, byte for byte, however much it is', async () => {
  const logs = join(folderWith({}), 'logs');
  const input = "steps:\n  - id: big\n    cmd: busybox:local sh -c 'yes 0123456789abcdef | head -c 64000000'\n";
  const { code } = await runTask(['run', '-f', '-', '-q', '--log-dir', logs, '/dev/null'], { input });
  expect([code, readdirSync(logs)]).toEqual([0, ['1-big.log']]);
  expect(statSync(join(logs, '1-big.log')).size).toBe(64_000_000 + 1);
});

test('a failed step shows its last 50 lines and where its log is', async () => {
  const logs = join(folderWith({}), 'logs');
  const input = "steps:\n  - id: bad\n    cmd: busybox:local sh -c 'seq 1 200; exit 4'\n";
  const { code, stderr } = await runTask(['run', '-f', '-', '-q', '--log-dir', logs, '/dev/null'], { input });
  expect(code).toBe(1);
  expect(stderr).toContain('│ 151\n');
  expect(stderr).not.toContain('│ 150\n');
  expect(stderr).toContain(`full log: ${join(logs, '1-bad.log')}`);
  expect(readFileSync(join(logs, '1-bad.log'), 'utf8').split('\n')).toHaveLength(201);
});

test('--watch runs again when a file changes, cancels what runs, and ends with Ctrl-C', async () => {
  const cwd = folderWith({
    'task.yaml': 'steps: [{id: show, cmd: "busybox:local sh -c \'cat x; sleep 30\'"}]',
    x: 'first\n',
    '.dockerignore': 'ignored\n',
    ignored: 'a',
  });
  // Logs below the context are not a reason to run again.
  const running = startTask(['run', '--watch', '--no-format', '--log-dir', 'logs'], { cwd });
  await running.waitFor('show | first');
  writeFileSync(join(cwd, 'ignored'), 'b');
  writeFileSync(join(cwd, 'x'), 'second\n');
  await running.waitFor('show | second');
  writeFileSync(join(cwd, 'task.yaml'), 'steps: [{id: show, cmd: busybox:local cat x}]');
  await running.waitFor('Succeeded');
  running.process.kill('SIGINT');
  const { code, stdout, stderr } = await running.finished;
  expect(code).toBe(130);
  expect(stdout.match(/^\S+ run /gm)).toHaveLength(3);
  expect(stderr).toContain('x changed: running again');
  expect(stderr).not.toMatch(/(ignored|\.log|logs) changed/);
});
