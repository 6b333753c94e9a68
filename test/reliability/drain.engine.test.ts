import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { endOf, showRun, startText } from '../chaos/workload.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { waitFor } from '../support/wait-for.ts';

const LONG = "steps:\n  - id: a\n    cmd: busybox:local sh -c 'echo up; sleep 4; echo down; exit 7'\n";

test('fault 16: while it ends it takes nothing new and says so; a second SIGTERM does not wait; the next start loses nothing', async () => {
  await using daemon = await startDaemon({ env: { SLIPWAY_GRACE_PERIOD: '60s' } });
  const run = await startText(daemon, LONG);
  await said(daemon, run, 'up\n');
  const { pid } = daemon;
  process.kill(pid, 'SIGTERM');
  await waitFor(async () => ((await daemon.api('GET', '/readyz')).status === 503 ? true : undefined));
  const refused = await daemon.api<{ code: string }>('POST', '/api/v1/runs', {
    ...{ type: 'EncodedTaskRunRequest', encodedTaskContent: Buffer.from(LONG).toString('base64') },
  });
  expect({ status: refused.status, code: refused.body.code }).toEqual({ status: 503, code: 'draining' });
  const askedAgain = performance.now();
  expect(await daemon.stop()).toBe(0);
  expect(performance.now() - askedAgain).toBeLessThan(2500);
  await daemon.start();
  expect(await endOf(daemon, run)).toMatchObject({ status: 'Failed', steps: [{ id: 'a', exitCode: 7, attempts: 1 }] });
  expect(await log(daemon, run)).toBe('up\ndown\n');
});

test('fault 11: a full disk keeps the daemon from nothing that ends it, and the next start knows how the step ended', async () => {
  const disk = await mkdtemp(join(tmpdir(), 'slipway-full-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=32m,mode=0700', 'tmpfs', disk], { encoding: 'utf8' });
  expect(mounted.stderr).toBe('');
  try {
    await using daemon = await startDaemon({ data: disk, env: { SLIPWAY_GRACE_PERIOD: '8s' } });
    const run = await startText(daemon, LONG);
    await said(daemon, run, 'up\n');
    await writeFile(join(disk, 'filler'), Buffer.alloc(64 * 2 ** 20)).catch((error: NodeJS.ErrnoException) =>
      expect(error.code).toBe('ENOSPC'),
    );
    const asked = performance.now();
    // The step ends within the grace, and that cannot be stored.
    expect(await daemon.stop()).toBe(0);
    expect(performance.now() - asked).toBeLessThan(15_000);
    await rm(join(disk, 'filler'));
    await daemon.start();
    expect(await endOf(daemon, run)).toMatchObject({ status: 'Failed', steps: [{ id: 'a', exitCode: 7, attempts: 1 }] });
    expect(await log(daemon, run)).toContain('up\n');
  } finally {
    spawnSync('umount', [disk]);
    await rm(disk, { recursive: true, force: true });
  }
});

test('fault 2: a step that ends while the daemon is not there keeps its exit code and its output', async () => {
  await using daemon = await startDaemon();
  const run = await startText(daemon, "steps:\n  - id: a\n    cmd: busybox:local sh -c 'echo up; sleep 2; seq 1000; exit 7'\n");
  await said(daemon, run, 'up\n');
  const container = (await showRun(daemon, run)).steps[0]?.container ?? '';
  await daemon.kill();
  const status = (): string => spawnSync('docker', ['inspect', '-f', '{{.State.Status}}', container], { encoding: 'utf8' }).stdout;
  await waitFor(async () => (status() === 'exited\n' ? true : undefined));
  await daemon.start();
  expect(await endOf(daemon, run)).toMatchObject({ status: 'Failed', steps: [{ id: 'a', status: 'failed', exitCode: 7, attempts: 1 }] });
  expect(await log(daemon, run)).toBe(`up\n${Array.from({ length: 1000 }, (_, index) => `${index + 1}\n`).join('')}`);
});

async function log(daemon: TestDaemon, run: string): Promise<string> {
  return (await daemon.api<string>('GET', `/api/v1/runs/${run}/log?step=a`)).body;
}

async function said(daemon: TestDaemon, run: string, text: string): Promise<void> {
  await waitFor(async () => ((await log(daemon, run)).includes(text) ? true : undefined), 30_000);
}
