import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { endOf, startText } from '../chaos/workload.ts';
import { startDaemon } from '../support/daemon.ts';
import { projectRoot } from '../support/task-program.ts';

async function serve(args: readonly string[]): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const child = spawn(`${projectRoot}/bin/task`, ['serve', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await once(child, 'close');
  return { code: child.exitCode, stderr };
}

test('a lost key is not replaced by a new one', async () => {
  const daemon = await startDaemon();
  await daemon.stop();
  await rm(join(daemon.data, 'secret.key'));
  const { code, stderr } = await serve(['--data', daemon.data, '--listen', '127.0.0.1:0']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('secret.key')]);
  await rm(daemon.data, { recursive: true, force: true });
});

test('a build that no engine can begin fails its run and nothing else', async () => {
  await using daemon = await startDaemon();
  const run = await startText(daemon, 'steps:\n  - id: bad\n    build: -t /shop/x:1 .\n');
  expect((await endOf(daemon, run))?.status).toBe('Failed');
  expect((await endOf(daemon, await startText(daemon, 'steps:\n  - cmd: busybox:local true\n')))?.status).toBe('Succeeded');
  expect(daemon.stderr).not.toContain('a defect');
});
