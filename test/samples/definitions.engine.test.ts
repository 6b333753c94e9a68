import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runTask } from '../cli/task-process.ts';
import { startDaemon } from '../support/daemon.ts';
import { waitFor } from '../support/wait-for.ts';
import { samplesFolder } from './sample-runs.ts';

interface TaskShown {
  readonly name: string;
  readonly status: string;
  readonly managedBy?: string;
}

const definitionsFolder = join(samplesFolder, '12-daemon-tasks');
const KEY = 'correct horse battery staple';

test('a daemon applies the folder, and runs the task that needs nothing from elsewhere', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-definitions-'));
  try {
    for (const name of readdirSync(definitionsFolder)) {
      const text = readFileSync(join(definitionsFolder, name), 'utf8');
      writeFileSync(join(folder, name), text.replaceAll('busybox:stable', 'busybox:local'));
    }
    await using daemon = await startDaemon({ args: ['--tasks', folder] });
    const tasks = await waitFor(async () => {
      const { body } = await daemon.api<{ items: readonly TaskShown[] }>('GET', '/api/v1/tasks');
      return body.items.length === 4 ? body.items : undefined;
    });
    expect(tasks.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'deploy Enabled',
      'nightly-clean Disabled',
      'nightly-tests Enabled',
      'site Enabled',
    ]);
    expect(new Set(tasks.map(({ managedBy }) => managedBy))).toEqual(
      new Set(['folder:deploy.yaml', 'folder:nightly.yaml', 'folder:site.yaml']),
    );
    const env = { SLIPWAY_SERVER: daemon.server, SLIPWAY_SECRET_VALUE: KEY };
    expect(
      await runTask(['secret', 'set', 'deploy-key', '--task', 'deploy', '--value', 'env:SLIPWAY_SECRET_VALUE'], { env }),
    ).toMatchObject({ code: 0 });
    const { code, stdout, stderr } = await runTask(['run', '--task', 'deploy', '--set', 'version=42'], { env });
    expect(code, `${stdout}\n${stderr}`).toBe(0);
    expect(stdout).toContain('deployed 42 to staging');
    expect(`${stdout}${stderr}${daemon.stderr}`).not.toContain(KEY);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
