import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endOf, showRun, startText } from '../chaos/workload.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { waitFor } from '../support/wait-for.ts';

const LOG_LIMIT = 1024 * 1024;
let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await startDaemon({ args: ['--max-runs', '1'], env: { SLIPWAY_LOG_LIMIT: '1MiB' } });
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
});

test('fault 18: a queued run is canceled within 200 ms; a running one hears SIGTERM within a second and ends by SIGKILL after ten', async () => {
  // Deaf to SIGTERM, but says that it came.
  const deaf = `trap 'echo told' TERM; echo up; i=0; while [ $i -lt 600 ]; do sleep 0.1; i=$((i+1)); done`;
  const running = await startText(daemon, step(deaf));
  const queued = await startText(daemon, step('true'));
  await said(running, 'up\n');

  const askedQueued = performance.now();
  await daemon.api('POST', `/api/v1/runs/${queued}/cancel`);
  expect((await showRun(daemon, queued)).status).toBe('Canceled');
  expect(performance.now() - askedQueued).toBeLessThan(200);

  const asked = performance.now();
  await daemon.api('POST', `/api/v1/runs/${running}/cancel`);
  await said(running, 'told\n');
  expect(performance.now() - asked).toBeLessThan(1000);
  expect((await endOf(daemon, running))?.status).toBe('Canceled');
  const tookMs = performance.now() - asked;
  expect(tookMs).toBeGreaterThan(9_500);
  expect(tookMs).toBeLessThan(15_000);
});

test('fault 19: nothing of a step outlives it: zombies are reaped while it runs, daemons of other sessions die with it', async () => {
  const mark = `31${Date.now()}`;
  const orphans = `for i in 1 2 3 4 5; do (setsid sh -c 'true' &) ; done; (setsid sleep ${mark} &) ; sleep 1; echo zombies $(grep -l '^State:.Z' /proc/[0-9]*/status | wc -l)`;
  const run = await startText(daemon, step(orphans.replaceAll("'", '"')));
  expect((await endOf(daemon, run))?.status).toBe('Succeeded');
  expect(await log(run)).toBe('zombies 0\n');
  expect(spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout).not.toContain(`sleep ${mark}`);
});

test('fault 12: a step that says more than is kept goes on; the log ends with a mark and the run with the exit code of the step', async () => {
  const run = await startText(daemon, step('yes $(head -c 8000 /dev/zero | tr "\\0" x) | head -c 200000000; echo done >&2; exit 3'));
  expect(await endOf(daemon, run)).toMatchObject({ status: 'Failed', steps: [{ exitCode: 3 }] });
  const text = await log(run);
  expect(text.length).toBeGreaterThan(LOG_LIMIT * 0.9);
  expect(text.length).toBeLessThan(LOG_LIMIT * 1.1);
  expect(text.slice(0, 8001)).toBe(`${'x'.repeat(8000)}\n`);
  const { body } = await daemon.api<{ log: { droppedBytes: number } }>('GET', `/api/v1/runs/${run}`);
  expect(body.log.droppedBytes).toBeGreaterThan(190_000_000);
  expect(text.trimEnd().split('\n').at(-1)).toMatch(/not kept|cut|limit/);
});

test('fault 15: a task with many waiting runs delays the one run of another by one turn', async () => {
  const define = async (name: string): Promise<void> => {
    const encodedTaskContent = Buffer.from(step('true')).toString('base64');
    const { status } = await daemon.api('POST', '/api/v1/tasks', { name, step: { type: 'EncodedTask', encodedTaskContent } });
    expect(status).toBe(201);
  };
  await define('flood');
  await define('single');
  const start = async (task: string): Promise<string> => {
    const { status, body } = await daemon.api<{ runId: string }>('POST', '/api/v1/runs', { type: 'TaskRunRequest', task });
    expect(status).toBe(201);
    return body.runId;
  };
  await daemon.api('POST', '/api/v1/queue/pause', {});
  const floods = await Promise.all(Array.from({ length: 12 }, () => start('flood')));
  const single = await start('single');
  await daemon.api('POST', '/api/v1/queue/resume', {});
  const ended = await Promise.all([...floods, single].map((id) => endOf(daemon, id)));
  expect(ended.map((run) => run?.status)).toEqual(Array.from({ length: 13 }, () => 'Succeeded'));
  const startTimes = await Promise.all([...floods, single].map(startTime));
  const mine = startTimes.at(-1) ?? '';
  expect(startTimes.slice(0, -1).filter((time) => time < mine).length).toBeLessThanOrEqual(2);
});

test('fault 22: a run whose preparation takes the daemon down is put aside at the third time, and others go on', async () => {
  // A context that never comes holds the run where it is while the daemon is killed.
  const sockets = new Set<Socket>();
  const tarpit = createServer((socket) => void sockets.add(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
  await once(tarpit, 'listening');
  const { port } = tarpit.address() as { port: number };
  await using own = await startDaemon({
    args: ['--max-runs', '1'],
    env: { SLIPWAY_ALLOW_LOOPBACK_ADDRESSES: 'true', SLIPWAY_ALLOW_PRIVATE_ADDRESSES: 'true' },
  });
  const { body, status } = await own.api<{ runId: string }>('POST', '/api/v1/runs', {
    ...{ type: 'FileTaskRunRequest', taskFilePath: 'task.yaml', sourceLocation: `http://127.0.0.1:${port}/context.tar.gz` },
  });
  expect({ status, body }).toMatchObject({ status: 201 });
  const other = await startText(own, step('echo fine'));
  for (let crash = 1; crash <= 3; crash += 1) {
    await waitFor(async () => (sockets.size >= crash ? true : undefined), 20_000);
    await own.kill();
    await own.start();
  }
  expect(await endOf(own, body.runId)).toMatchObject({ status: 'Error', runErrorMessage: expect.stringContaining('3 times') });
  expect((await endOf(own, other))?.status).toBe('Succeeded');
  for (const socket of sockets) socket.destroy();
  tarpit.close();
});

function step(script: string): string {
  return `steps:\n  - id: a\n    cmd: busybox:local sh -c '${script.replaceAll("'", `'\\''`)}'\n`;
}

async function log(run: string): Promise<string> {
  return (await daemon.api<string>('GET', `/api/v1/runs/${run}/log?step=a`)).body;
}

async function said(run: string, text: string): Promise<void> {
  await waitFor(async () => ((await log(run)).includes(text) ? true : undefined), 30_000);
}

async function startTime(run: string): Promise<string> {
  return (await daemon.api<{ startTime: string }>('GET', `/api/v1/runs/${run}`)).body.startTime;
}
