import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TriggerEventResource } from '../../../src/api/event-schema.ts';
import type { TaskExplanation } from '../../../src/api/explain-schema.ts';
import type { HookSecretResource } from '../../../src/api/hook-schema.ts';
import type { RunSummaryResource } from '../../../src/api/run-schema.ts';
import type { TimerResource } from '../../../src/api/timer-schema.ts';
import { endOf } from '../../chaos/workload.ts';
import { startDaemon, type TestDaemon } from '../../support/daemon.ts';
import { type GitServer, startGitServer } from '../../support/git-server.ts';
import { waitFor } from '../../support/wait-for.ts';
import { runTask } from '../task-process.ts';

let daemon: TestDaemon;
let server: GitServer;

beforeAll(async () => {
  [daemon, server] = await Promise.all([
    startDaemon({ env: { SLIPWAY_ALLOW_LOOPBACK_ADDRESSES: 'true', SLIPWAY_UNTRUSTED_LOCAL_IMAGES: 'busybox:*' } }),
    startGitServer(),
  ]);
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function task(...args: readonly string[]) {
  return runTask(args, { env: { SLIPWAY_DATA: daemon.data, TOKEN: 'no-such-token' } });
}

async function ok(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await task(...args);
  expect({ args, code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

async function json<Value>(...args: readonly string[]): Promise<Value> {
  return JSON.parse(await ok(...args, '--output', 'json')) as Value;
}

async function refused(...args: readonly string[]): Promise<string> {
  const { code, stderr } = await task(...args);
  expect({ args, code }).toMatchObject({ code: 2 });
  return stderr;
}

/** A repository with a task file, and a way to push to it. */
async function repository(name: string) {
  await server.repository(name, async (work) => {
    await writeFile(join(work.directory, 'acr-task.yaml'), 'steps:\n  - cmd: busybox:local echo {{.Run.Commit}}\n');
    await work.commit('one');
  });
  return {
    url: `${server.url}/smart/${name}.git`,
    push: async (file: string, ref = 'refs/heads/main'): Promise<string> => {
      await using work = await server.workTree(name);
      await mkdir(dirname(join(work.directory, file)), { recursive: true });
      await writeFile(join(work.directory, file), `${ref} ${Date.now()}`);
      const commit = await work.commit(`change ${file}`);
      await work.git('push', 'origin', `HEAD:${ref}`);
      return commit.trim();
    },
  };
}

function runs(name: string): Promise<readonly RunSummaryResource[]> {
  return json('list-runs', '--task', name);
}

/** Looks, and waits until what was found is decided on. */
async function check(name: string): Promise<void> {
  await ok('trigger', 'check', name);
  await waitFor(async () => ((await json<readonly unknown[]>('event', 'list', '--status', 'pending')).length === 0 ? true : undefined));
}

test('a check that cannot look at a repository fails, and says why', async () => {
  await ok('create', 'gone', '-c', `${server.url}/smart/gone.git#main`, '-f', 'acr-task.yaml');
  const { code, stdout, stderr } = await task('trigger', 'check', 'gone');
  expect(code).toBe(1);
  expect(stdout).toContain('defaultSourceTriggerName');
  expect(stderr).toMatch(/error: defaultSourceTriggerName could not look at http:.*smart\/gone\.git: \S+/);
  await ok('delete', 'gone', '--yes');
});

test('commits start a task by its filters, and every step of the way is explained', async () => {
  const app = await repository('app');
  const created = await ok(
    ...['create', 'app', '-c', `${app.url}#main`, '-f', 'acr-task.yaml', '--include-path', 'src/**', '--source-trigger-name', 'git'],
    ...['--schedule', 'nightly:0 3 * * *'],
  );
  expect(created).toMatch(/^app created\ntimer nightly \(0 3 \* \* \*\): (?:\d{4}-\d\d-\d\d 03:00 UTC(?:, )?){5}\n$/);
  expect(await ok('list')).toMatch(/ commit, base image, timer /);
  expect(await ok('show', 'app')).toMatch(/git +source +Enabled +commit of .*files src\/\*\*/);

  await check('app');
  expect(await runs('app')).toEqual([]);
  await app.push('docs/a.md');
  await check('app');
  expect(await runs('app')).toEqual([]);
  expect(await ok('explain', 'app')).toMatch(/git +skipped +path-filter/);

  const commit = await app.push('src/a.c');
  await check('app');
  const [run] = await waitFor(async () => ((await runs('app')).length > 0 ? runs('app') : undefined));
  expect(run).toMatchObject({ commit, trigger: 'Commit' });
  const id = run?.runId ?? '';
  expect((await endOf(daemon, id))?.status).toBe('Succeeded');
  expect(await ok('explain', id)).toMatch(new RegExp(`Because\n.*${commit.slice(0, 7)}`));
  expect(await ok('explain', 'last', '--task', 'app')).toContain(id);
  expect(await ok('show-run', id)).toMatch(new RegExp(`Because +commit ${commit.slice(0, 7)} on main of`));

  const events = await json<readonly TriggerEventResource[]>('event', 'list', '--task', 'app', '--kind', 'push');
  expect(events.map(({ happening }) => happening.kind)).toEqual(['push', 'push']);
  const event = events[0]?.eventId ?? '';
  expect(await ok('event', 'show', event)).toMatch(new RegExp(` app +git +run +${id} +fired`));
  expect(await ok('event', 'replay', event)).toMatch(new RegExp(`^${event} is decided on again as e\\d+`));
  expect(await json('event', 'replay', event)).toEqual([{ eventId: expect.stringMatching(/^e\d+$/), replayOf: event }]);
  await check('app');
  expect(await ok('explain', 'app')).toContain('already-fired');
  expect(await runs('app')).toHaveLength(1);

  expect(await ok('trigger', 'disable', 'app', '--trigger-name', 'git')).toBe('app: git disabled\n');
  expect(await ok('trigger', 'disable', 'app', '--trigger-name', 'git')).toBe('app: git is disabled already\n');
  expect(await ok('trigger', 'list', 'app')).toMatch(/git +source +Disabled/);
  expect(await json('trigger', 'disable', 'app', '--trigger-name', 'git')).toEqual([
    { task: 'app', trigger: 'git', status: 'Disabled', changed: false },
  ]);
  expect(await ok('trigger', 'enable', 'app', '--all')).toContain('app: git enabled\n');
  expect(await json('trigger', 'disable', 'app', '--trigger-name', 'nightly')).toEqual([
    { task: 'app', trigger: 'nightly', status: 'Disabled', changed: true },
  ]);
});

test('a commit from a fork waits for a word about the very commit', async () => {
  const fork = await repository('fork');
  const flags = ['--pull-request-trigger-enabled', '--commit-trigger-enabled', 'false', '--forge', 'gitea', '--no-commit-status'];
  await ok('create', 'fork', '-c', `${fork.url}#main`, '-f', 'acr-task.yaml', ...flags);
  await check('fork');
  const commit = await fork.push('evil.sh', 'refs/pull/7/head');
  await check('fork');
  const [run] = await waitFor(async () => ((await runs('fork')).length > 0 ? runs('fork') : undefined));
  const id = run?.runId ?? '';
  expect(run).toMatchObject({ status: 'Queued', trust: 'untrusted', waiting: { reason: 'approval' } });
  const waits = `waits for approval of ${commit.slice(0, 12)}, which \`task approve ${id}\` gives`;
  expect(await ok('list-runs', '--task', 'fork')).toMatch(new RegExp(` {2}${waits}\n`));
  expect(await ok('queue')).toMatch(new RegExp(`^ +${id} +.* approval +${waits}$`, 'm'));
  expect(await ok('show-run', id)).toMatch(
    new RegExp(`Held +waits for approval of ${commit.slice(0, 12)}; \`task approve ${id}\` lets it run`),
  );
  expect(await ok('explain', id)).toMatch(/^Held /m);
  expect(await refused('approve', id)).toContain('--yes');
  expect(await refused('approve', id, '--commit', '1234567')).toContain(`is of the commit ${commit}, and not of 1234567 [conflict]`);
  expect(await ok('approve', id, '--commit', commit.slice(0, 12))).toBe(`${id} approved for ${commit}\n`);
  expect((await endOf(daemon, id))?.status).toBe('Succeeded');
  expect(await ok('show-run', id)).toMatch(/^Approved +by socket/m);
  expect(await ok('show-run', id)).toMatch(/^Pushes +left out, because the run is untrusted$/m);
  expect(await ok('explain', id)).toMatch(new RegExp(`^Approved +by socket .* at head ${commit.slice(0, 12)}$`, 'm'));
  expect(await refused('approve', id, '--yes')).toMatch(/does not wait for an approval: socket .* approved it \[conflict\]/);
});

test('timers are added, changed, listed and removed', async () => {
  await ok('create', 'clock', '--cmd', 'busybox:local true', '--base-image-trigger-enabled', 'false');
  expect(await ok('timer', 'add', 'clock', '--schedule', '*/5 * * * *', '--jitter', '1m')).toMatch(
    /^clock: timer t1 added\ntimer t1 \(\*\/5 \* \* \* \*\): (?:\d{4}-\d\d-\d\d \d\d:\d\d UTC(?:, )?){5}\n$/,
  );
  await ok(
    'timer',
    'add',
    'clock',
    '--timer-name',
    'berlin',
    '--schedule',
    'CRON_TZ=Europe/Berlin 0 3 * * MON-FRI',
    '--on-missed',
    'all:3',
  );
  expect(await refused('timer', 'add', 'clock', '--timer-name', 't1', '--schedule', '0 1 * * *')).toMatch(
    /\[already-exists\]\n {2}help: .*task timer update/,
  );
  expect(await refused('timer', 'add', 'clock', '--schedule', '0 25 * * *')).toContain('the hour field has "25"');
  expect(await refused('timer', 'add', 'clock', '--schedule', '*/5  * * * *')).toContain('the schedule of the timer "t1" as well');
  expect(await refused('timer', 'update', 'clock', '--timer-name', 'berlim', '--enabled', 'false')).toContain('did you mean "berlin"?');
  expect(await refused('timer', 'update', 'clock', '--timer-name', 't1')).toContain('nothing is to be changed');
  expect(await ok('timer', 'update', 'clock', '--timer-name', 't1', '--enabled', 'false')).toBe('clock: timer t1 updated\n');
  const timers = await json<readonly TimerResource[]>('timer', 'list', 'clock');
  expect(timers).toMatchObject([
    { name: 't1', status: 'Disabled', jitter: 60 },
    { name: 'berlin', status: 'Enabled', onMissed: 'all', mostMissed: 3, next: { length: 5 } },
  ]);
  expect(await ok('timer', 'list', 'clock')).toMatch(/berlin +CRON_TZ=Europe\/Berlin 0 3 \* \* MON-FRI +Enabled .*all:3 +allow/);
  expect(await ok('timer', 'remove', 'clock', '--timer-name', 'berlin')).toBe('clock: timer berlin removed\n');
  expect((await task('timer', 'remove', 'clock', '--timer-name', 't1')).code).toBe(0);
  expect((await task('timer', 'list', 'clock')).stderr).toContain('clock has no timers');
});

test('a webhook is shown with its secret and how to set it up, and gets another secret', async () => {
  const hooked = await repository('hooked');
  await ok('create', 'hooked', '-c', `${hooked.url}#main`, '-f', 'acr-task.yaml', '--forge', 'gitea');
  const first = await json<HookSecretResource>('trigger', 'webhook', 'hooked');
  const text = await ok('trigger', 'webhook', 'hooked');
  for (const part of [first.url, first.secret, 'How to set it up:', '1. ']) expect(text).toContain(part);
  const second = await json<HookSecretResource>('trigger', 'webhook', 'hooked', '--rotate');
  expect(second).toMatchObject({ id: first.id, url: first.url, previousUntil: expect.any(String) });
  expect(second.secret).not.toBe(first.secret);
  const registry = await ok('trigger', 'webhook', '--registry', 'registry.example:5000', '--provider', 'distribution');
  expect(registry).toMatch(/Of +registry\.example:5000 \(distribution\)/);
  const list = await ok('trigger', 'webhook', '--list');
  expect(list).toMatch(new RegExp(`${first.id} +${hooked.url} \\(Gitea\\) +hooked`));
  expect(`${list}${daemon.stderr}`).not.toContain(second.secret);
  expect(await refused('trigger', 'webhook', '--registry', 'r.example')).toContain('--provider');
  expect(await refused('trigger', 'webhook', 'hooked', '--token', 'env:TOKEN')).toContain('--create');
  const failed = await task('trigger', 'webhook', 'hooked', '--create', '--token', 'env:TOKEN');
  expect(failed.code).not.toBe(0);
  expect(failed.stderr).not.toContain('no-such-token');
  expect(await ok('trigger', 'webhook', '--remove', first.id)).toBe(`${first.id} removed\n`);
});

test('what is misspelt is told with what was meant', async () => {
  await ok('create', 'service', '--cmd', 'busybox:local true', '--after', 'never-defined');
  expect(await refused('explain', 'servise')).toBe(
    'error: there is no run and no task "servise" [not-found]\n  help: did you mean "service"?\n',
  );
  expect(await refused('explain', 'service', '--run', 'ra001')).toContain('exclude each other');
  expect(await refused('event', 'show', '17')).toBe(
    'error: "17" is no id of an event [invalid-request]\n  help: an id is `e` and a number; `task event list` has them\n',
  );
  expect(await refused('trigger', 'enable', 'service')).toContain('has several triggers: defaultBaseimageTriggerName, after-never-defined');
  expect(await refused('trigger', 'enable', 'service')).toContain('flag-missing');
  expect(await refused('trigger', 'enable', 'service', '--trigger-name', 'after-never-define')).toMatch(
    /\[not-found\]\n {2}help: did you mean "after-never-defined"\?\n$/,
  );
  expect(await refused('timer', 'remove', 'service', '--timer-name', 'gone')).toContain('[not-found]');
  expect(await refused('timer', 'add', 'service')).toContain('[flag-missing]');
  expect(await refused('update', 'service', '--schedule', 'bad:* * *')).toContain('the schedule has 3 of 5 fields');
  const { triggers } = await json<TaskExplanation>('explain', 'service');
  expect(triggers.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['base-image', 'after']));
});
