import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { DependencyGraph } from '../../src/api/dependency-schema.ts';
import type { TaskExplanation } from '../../src/api/explain-schema.ts';
import type { RunResource, RunSummaryResource } from '../../src/api/run-schema.ts';
import { endOf } from '../chaos/workload.ts';
import { folderWith, runTask } from '../cli/task-process.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { startGitServer } from '../support/git-server.ts';
import { startRegistry } from '../support/registry-server.ts';
import { removeImages } from '../support/remove-images.ts';
import { waitFor } from '../support/wait-for.ts';
import { samplesFolder } from './sample-runs.ts';

const LOOPBACK = { SLIPWAY_ALLOW_LOOPBACK_ADDRESSES: 'true' };

/** A file of a sample, with its places replaced by those of the test. */
function sample(file: string, places: Readonly<Record<string, string>>): string {
  let text = readFileSync(join(samplesFolder, file), 'utf8');
  for (const [from, to] of Object.entries({ 'busybox:stable': 'busybox:local', ...places })) text = text.replaceAll(from, to);
  return text;
}

function commandsOf(daemon: TestDaemon, cwd: string) {
  const ok = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await runTask(args, { cwd, env: { SLIPWAY_DATA: daemon.data } });
    expect({ args, code, stderr }).toMatchObject({ code: 0 });
    return stdout;
  };
  const json = async <Value>(...args: readonly string[]): Promise<Value> => JSON.parse(await ok(...args, '--output', 'json')) as Value;
  const runs = (task: string): Promise<readonly RunSummaryResource[]> => json('list-runs', '--task', task);
  const check = async (task: string): Promise<void> => {
    await ok('trigger', 'check', task);
    await waitFor(
      async () => ((await json<readonly unknown[]>('event', 'list', '--status', 'pending')).length === 0 ? true : undefined),
      30_000,
    );
  };
  const newest = (task: string, count = 1): Promise<RunSummaryResource> =>
    waitFor(async () => {
      const found = await runs(task);
      return found.length >= count ? found[0] : undefined;
    }, 60_000);
  return { ok, json, runs, check, newest };
}

test('13-commit-trigger: pushes by path, pull requests from forks, tags', async () => {
  await using server = await startGitServer();
  const url = await server.repository('app', async (work) => {
    writeFileSync(join(work.directory, 'acr-task.yaml'), 'steps:\n  - cmd: busybox:local true\n');
    await work.commit('one');
  });
  expect(url).toContain('app.git');
  const push = async (file: string, ref: string, message = file): Promise<string> => {
    await using work = await server.workTree('app');
    mkdirSync(dirname(join(work.directory, file)), { recursive: true });
    writeFileSync(join(work.directory, file), message);
    const commit = (await work.commit(message)).trim();
    await work.git('push', 'origin', `HEAD:${ref}`);
    return commit;
  };
  const address = `${server.url}/smart/app.git`;
  const directory = folderWith({ 'app.yaml': sample('13-commit-trigger/app.yaml', { 'https://github.com/me/app.git': address }) });
  await using daemon = await startDaemon({ env: LOOPBACK });
  const { ok, json, runs, check, newest } = commandsOf(daemon, directory);
  expect(await ok('apply', '-f', 'app.yaml')).toMatch(/^app +created/);
  await ok('update', 'app', '--source-trigger-name', 'review', '--forge', 'gitea', '--no-commit-status');
  await check('app');

  await push('docs/page.md', 'refs/heads/main');
  await push('src/a.c', 'refs/heads/main', 'no need to build [skip ci]');
  await push('src/b.c', 'refs/heads/topic');
  await push('src/rc.c', 'refs/tags/v1.0-rc1');
  await check('app');
  expect(await runs('app')).toEqual([]);

  const released = await push('src/c.c', 'refs/tags/v1.0');
  await check('app');
  expect(await newest('app')).toMatchObject({ trigger: 'Tag', commit: released });
  const changed = await push('src/d.c', 'refs/heads/release/1');
  await check('app');
  expect(await newest('app', 2)).toMatchObject({ trigger: 'Commit', commit: changed, branch: 'release/1' });
  await push('src/e.c', 'refs/pull/3/head');
  await check('app');
  const waits = await newest('app', 3);
  expect(waits).toMatchObject({ trigger: 'Pull Request', trust: 'untrusted', status: 'Queued' });
  const { decisions } = await json<TaskExplanation>('explain', 'app', '--top', '100');
  expect(decisions.map(({ code }) => code)).toEqual(expect.arrayContaining(['fired', 'skip-ci', 'branch-filter', 'tag-filter']));
  await ok('cancel-run', waits.runId);
});

test('14-base-image-cascade: a new base rebuilds what is built on it', async () => {
  await using server = await startGitServer();
  await using registry = await startRegistry();
  const places = { 'https://github.com/me/images.git': `${server.url}/smart/images.git`, 'localhost:5000': registry.host };
  await server.repository('images', async (work) => {
    for (const part of ['base', 'app']) {
      cpSync(join(samplesFolder, '14-base-image-cascade', part), join(work.directory, part), { recursive: true });
      writeFileSync(join(work.directory, part, 'Dockerfile'), sample(`14-base-image-cascade/${part}/Dockerfile`, places));
    }
    await work.commit('one');
  });
  const directory = folderWith({ 'tasks.yaml': sample('14-base-image-cascade/tasks.yaml', places) });
  await using daemon = await startDaemon({ env: LOOPBACK });
  const { ok, json, newest } = commandsOf(daemon, directory);
  await ok('apply', '-f', 'tasks.yaml');
  const base = `${registry.host}/sample-base:1`;
  const tree = await waitFor(async () => {
    const text = await ok('deps', '--output', 'tree');
    return text.includes('sample-app') && text.includes('busybox') ? text : undefined;
  }, 30_000);
  expect(tree).toContain(`└─ sample-base\n   └─ ${base}\n      └─ sample-app`);
  const { whatIf } = await json<DependencyGraph>('deps', '--what-if', 'busybox:local');
  expect(whatIf?.rebuilds.map(({ task, after }) => [task, after])).toEqual([
    ['sample-base', []],
    ['sample-app', ['sample-base']],
  ]);
  expect(await ok('deps', base, '--output', 'mermaid')).toContain('==>');

  // The first sight of an image is only recorded: nothing was built on another one.
  await ok('run', '--task', 'sample-base', '--output', 'quiet');
  await ok('run', '--task', 'sample-base', '--output', 'quiet');
  const first = await newest('sample-app');
  expect(first.trigger).toBe('Image Update');
  expect((await endOf(daemon, first.runId))?.status).toBe('Succeeded');
  await ok('run', '--task', 'sample-base', '--output', 'quiet');
  const second = await newest('sample-app', 2);
  expect((await endOf(daemon, second.runId))?.status).toBe('Succeeded');
  const run = await json<RunResource>('show-run', second.runId);
  expect(run.causes.map(({ kind }) => kind)).toEqual(['image-update', 'manual']);
  expect(await ok('explain', 'last', '--task', 'sample-app')).toMatch(/Because\n.*sample-base:1.*\n {2}↳ /);
  await removeImages([base, ...[first, second].map(({ runId }) => `${registry.host}/sample-app:${runId}`)]);
});

test('15-nightly: timers are known with their next times, and a task follows another', async () => {
  const directory = folderWith({ 'tasks.yaml': sample('15-nightly/tasks.yaml', {}) });
  await using daemon = await startDaemon();
  const { ok, newest } = commandsOf(daemon, directory);
  await ok('apply', '-f', 'tasks.yaml');
  const timers = await ok('timer', 'list', 'nightly-report');
  expect(timers).toMatch(/nightly +0 3 \* \* \* +Enabled +.*skip +10m/);
  expect(timers).toMatch(/monday-morning +CRON_TZ=Europe\/Berlin 0 8 \* \* MON +Enabled/);
  await ok('run', '--task', 'nightly-report', '--output', 'quiet');
  const mail = await newest('nightly-mail');
  expect(mail.trigger).toBe('After');
  expect((await endOf(daemon, mail.runId))?.status).toBe('Succeeded');
  expect(await ok('explain', 'last', '--task', 'nightly-mail')).toContain('nightly-report');
});
