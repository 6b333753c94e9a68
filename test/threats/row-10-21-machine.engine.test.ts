import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { begin, ended, inlineRun, runToEnd, shellTask, slowestAnswer } from './threat-rig.ts';

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await startDaemon({
    args: ['--max-runs', '3'],
    env: { SLIPWAY_STEP_MEMORY: '64MiB', SLIPWAY_STEP_PIDS: '64', SLIPWAY_LOG_LIMIT: '1MiB', SLIPWAY_MAX_QUEUED: '5' },
  });
});
afterAll(() => daemon[Symbol.asyncDispose]());

const DEMANDS = {
  privileged: '--privileged',
  hostMounts: '-v /etc:/host-etc:ro',
  dockerSocket: '-v /var/run/docker.sock:/var/run/docker.sock',
} as const;

const asking = (flags: string): string =>
  Buffer.from(`version: v1.1.0\nsteps:\n  - cmd: ${flags} busybox:local ls /host-etc/passwd /var/run/docker.sock\n`).toString('base64');

describe('threat 10: power over the machine', () => {
  it.each(Object.entries(DEMANDS))('%s is refused to every quick run, whoever asks', async (_right, flags) => {
    const { run } = await runToEnd(daemon, { type: 'EncodedTaskRunRequest', encodedTaskContent: asking(flags) });
    expect([run.status, run.error?.errorCode]).toStrictEqual(['Failed', 'policy-refused']);
  });

  it('no step has the socket of the engine unless it is granted', async () => {
    const { run } = await runToEnd(daemon, inlineRun(shellTask('test ! -e /var/run/docker.sock')));
    expect(run.status).toBe('Succeeded');
  });

  it.each(Object.entries(DEMANDS))('%s is granted by an admin, to the task as it is defined', async (right, flags) => {
    const name = `needs-${right.toLowerCase()}`;
    const task = { name, step: { encodedTaskContent: asking(flags) }, policy: { [right]: true } };
    const editor = await daemon.api<{ token: string }>('POST', '/api/v1/tokens', { name, role: 'editor' });
    expect((await daemon.api('POST', '/api/v1/tasks', task, { token: editor.body.token })).status).toBe(403);
    expect((await daemon.api('POST', '/api/v1/tasks', task)).status).toBe(201);
    const { run } = await runToEnd(daemon, { type: 'TaskRunRequest', task: name });
    expect(run.error?.errorCode).not.toBe('policy-refused');
    const change = { step: { encodedTaskContent: asking('--pid host') } };
    expect((await daemon.api('PATCH', `/api/v1/tasks/${name}`, change, { token: editor.body.token })).status).toBe(403);
    // The rights of one do not bring another.
    expect(
      (
        await daemon.api('PATCH', `/api/v1/tasks/${name}`, {
          step: { encodedTaskContent: asking('-v /:/all -v /run/docker.sock:/s --privileged') },
        })
      ).status,
    ).toBe(200);
    const more = await runToEnd(daemon, { type: 'TaskRunRequest', task: name });
    expect(more.run.error?.errorCode).toBe('policy-refused');
  });
});

/** A step beside the hostile one: it has to end while that goes on. */
async function expectNeighbour(hostile: string): Promise<void> {
  const id = await begin(daemon, inlineRun(hostile));
  const { value, slowestMs } = await slowestAnswer(daemon, () => runToEnd(daemon, inlineRun(shellTask('echo here'))));
  expect([value.run.status, value.log]).toStrictEqual(['Succeeded', 'here\n']);
  expect(slowestMs).toBeLessThan(2000);
  await daemon.api('POST', `/api/v1/runs/${id}/cancel`);
  const { run } = await ended(daemon, id);
  expect(['Canceled', 'Failed']).toContain(run.status);
}

describe('threat 21: steps that take all there is', () => {
  it('a fork bomb stays in its bounds', () => expectNeighbour(shellTask('f() { f | f & }; f; while :; do :; done')));

  it('processes and memory are limited, and no flag raises the limits', async () => {
    const read =
      'cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; true';
    for (const flags of ['', '--pids-limit -1 --memory 32g --memory-swap -1', '--pids-limit 100000']) {
      const { run, log } = await runToEnd(daemon, inlineRun(`version: v1.1.0\nsteps:\n  - cmd: ${flags} busybox:local sh -c "${read}"\n`));
      expect([flags, run.status, log.split('\n').slice(0, 2)]).toStrictEqual([flags, 'Succeeded', ['64', String(64 * 2 ** 20)]]);
    }
  });

  it('who takes more memory is ended, and nobody else', async () => {
    const { run } = await runToEnd(daemon, inlineRun(shellTask('dd if=/dev/zero of=/dev/null bs=512M count=1')));
    expect(run.status).toBe('Failed');
    expect((await runToEnd(daemon, inlineRun(shellTask('true')))).run.status).toBe('Succeeded');
  });

  it('a flood of output is cut with a marker, and the step still ends by itself', async () => {
    const { run, log } = await runToEnd(daemon, inlineRun(shellTask('yes "a line of a flood" | head -c 12000000; exit 3')));
    expect([run.status, run.steps[0]?.exitCode]).toStrictEqual(['Failed', 3]);
    expect(log.length).toBeLessThan(1_100_000);
    expect(log).toMatch(/reached its limit of 1048576 bytes\]\n$/);
    expect(run.log?.droppedBytes).toBeGreaterThan(10_000_000);
  });

  it('a flood without end leaves room for others', () => expectNeighbour(shellTask('yes')));

  it('a line without end is kept in pieces', async () => {
    const { run, log } = await runToEnd(daemon, inlineRun(shellTask('head -c 30000000 /dev/zero | tr "\\\\0" x')));
    expect([run.status, log.length < 1_100_000]).toStrictEqual(['Succeeded', true]);
  });

  it('only so many runs may wait', async () => {
    await daemon.api('POST', '/api/v1/queue/pause', {});
    const statuses: number[] = [];
    const runs: string[] = [];
    for (let count = 0; count < 7; count += 1) {
      const { status, body } = await daemon.api<{ runId: string }>('POST', '/api/v1/runs', inlineRun(shellTask('true')));
      statuses.push(status);
      if (status === 201) runs.push(body.runId);
    }
    expect(statuses.slice(0, 5)).toStrictEqual([201, 201, 201, 201, 201]);
    expect(statuses.slice(5).every((status) => status === 429 || status === 503)).toBe(true);
    for (const id of runs) await daemon.api('POST', `/api/v1/runs/${id}/cancel`);
    await daemon.api('POST', '/api/v1/queue/resume', {});
  });
});
