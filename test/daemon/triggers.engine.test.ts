import { createHmac, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DependencyGraph } from '../../src/api/dependency-schema.ts';
import type { TriggerEventDetail } from '../../src/api/event-schema.ts';
import type { RunExplanation, TaskExplanation } from '../../src/api/explain-schema.ts';
import type { HookSecretResource } from '../../src/api/hook-schema.ts';
import type { RunResource, RunSummaryResource } from '../../src/api/run-schema.ts';
import { endOf } from '../chaos/workload.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import { publishBusybox } from '../support/registry-images.ts';
import { startRegistry } from '../support/registry-server.ts';
import { waitFor } from '../support/wait-for.ts';

const TASK_FILE =
  'steps:\n  - id: say\n    cmd: busybox:local echo {{.Run.Commit}} {{.Run.Branch}} {{.Run.Repository}} {{.Run.TriggeredBy}}\n';
const LOOPBACK = { SLIPWAY_ALLOW_LOOPBACK_ADDRESSES: 'true' };

async function runsOf(daemon: TestDaemon, task: string): Promise<readonly RunSummaryResource[]> {
  return (await daemon.api<{ items: RunSummaryResource[] }>('GET', `/api/v1/runs?task=${task}&top=100`)).body.items;
}

async function newestRun(daemon: TestDaemon, task: string, count = 1): Promise<RunSummaryResource> {
  return waitFor(async () => {
    const runs = await runsOf(daemon, task);
    return runs.length >= count ? runs[0] : undefined;
  }, 30_000);
}

async function pushTo(server: GitServer, change: string): Promise<{ readonly before: string; readonly after: string }> {
  await using work = await server.workTree('app');
  const before = (await work.git('rev-parse', 'HEAD')).trim();
  await writeFile(join(work.directory, 'change.txt'), change);
  const after = await work.commit(change);
  await work.git('push', 'origin', 'HEAD:main');
  return { before, after };
}

/** As Gitea posts it. */
function deliver(hook: HookSecretResource, payload: object, id: string = randomUUID(), event = 'push'): Promise<Response> {
  const body = JSON.stringify(payload);
  const signature = createHmac('sha256', hook.secret).update(body).digest('hex');
  return fetch(hook.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-gitea-event': event, 'x-gitea-delivery': id, 'x-gitea-signature': signature },
    body,
  });
}

test('a push that a webhook tells of runs its commit, once, and the daemon says why', async () => {
  await using server = await startGitServer();
  await server.repository('app', async (work) => {
    await writeFile(join(work.directory, 'acr-task.yaml'), TASK_FILE);
    await work.commit('one');
  });
  const repositoryUrl = `${server.url}/smart/app.git`;
  await using daemon = await startDaemon({ env: LOOPBACK });
  const created = await daemon.api('POST', '/api/v1/tasks', {
    name: 'web',
    step: { contextPath: `${repositoryUrl}#main`, taskFilePath: 'acr-task.yaml' },
    trigger: { sourceTriggers: [{ name: 'push', sourceRepository: { sourceControlType: 'Gitea', repositoryUrl } }] },
  });
  expect(created.status, JSON.stringify(created.body)).toBe(201);
  await daemon.api('POST', '/api/v1/tasks/web/check');
  expect(await runsOf(daemon, 'web')).toEqual([]);
  const hook = (await daemon.api<HookSecretResource>('POST', '/api/v1/tasks/web/hooks')).body;
  expect(hook.url).toBe(`${daemon.url}/hooks/${hook.id}`);

  const { before, after } = await pushTo(server, 'two');
  const payload = {
    ref: 'refs/heads/main',
    before,
    after,
    repository: { id: 7, full_name: 'me/app', clone_url: repositoryUrl, default_branch: 'main' },
  };
  const id = randomUUID();
  const answer = await deliver(hook, payload, id);
  expect([answer.status, await answer.clone().json()]).toEqual([202, { events: [expect.stringMatching(/^e\d+$/)] }]);
  const [eventId = ''] = ((await answer.json()) as { events: string[] }).events;
  const run = await newestRun(daemon, 'web');
  expect(run).toMatchObject({ trigger: 'Commit', commit: after, branch: 'main', causes: [{ kind: 'source', trigger: 'push', eventId }] });
  expect((await endOf(daemon, run.runId))?.status).toBe('Succeeded');
  const log = await daemon.api<string>('GET', `/api/v1/runs/${run.runId}/log`);
  expect(log.body).toContain(`${after} main ${repositoryUrl} Commit`);

  // The same again, told again, and found by a look.
  expect((await deliver(hook, payload, id)).status).toBe(200);
  expect((await deliver(hook, payload)).status).toBe(202);
  await daemon.api('POST', '/api/v1/tasks/web/check');
  await settled(daemon);
  expect((await runsOf(daemon, 'web')).length).toBe(1);

  const event = (await daemon.api<TriggerEventDetail>('GET', `/api/v1/trigger-events/${eventId}`)).body;
  expect(event).toMatchObject({ origin: 'webhook', status: 'settled', decisions: [{ task: 'web', outcome: 'run', runId: run.runId }] });
  const why = (await daemon.api<RunExplanation>('GET', `/api/v1/runs/${run.runId}/explain`)).body;
  expect(why.chain).toMatchObject([{ kind: 'source', eventId }]);
  const task = (await daemon.api<TaskExplanation>('GET', '/api/v1/tasks/web/explain')).body;
  expect(task.decisions.map(({ code }) => code)).toContain('already-fired');
  expect(daemon.stderr).not.toContain('a defect');
});

test('a push that nobody tells of is found by a look', async () => {
  await using server = await startGitServer();
  await server.repository('app', async (work) => {
    await writeFile(join(work.directory, 'acr-task.yaml'), TASK_FILE);
    await work.commit('one');
  });
  await using daemon = await startDaemon({ env: LOOPBACK });
  await daemon.api('POST', '/api/v1/tasks', {
    name: 'web',
    step: { contextPath: `${server.url}/smart/app.git#main`, taskFilePath: 'acr-task.yaml' },
  });
  await daemon.api('POST', '/api/v1/tasks/web/check');
  const { after } = await pushTo(server, 'two');
  await daemon.api('POST', '/api/v1/tasks/web/check');
  const run = await newestRun(daemon, 'web');
  expect(run.commit).toBe(after);
  expect((await endOf(daemon, run.runId))?.status).toBe('Succeeded');
});

test('a base image that a task pushes rebuilds those on it, in order, each once', async () => {
  await using registry = await startRegistry();
  await using daemon = await startDaemon({ env: { ...LOOPBACK, SLIPWAY_BASE_IMAGE_WINDOW: '1s' } });
  const base = `${registry.host}/team/base:1`;
  const build = (name: string, from: string, to: string, extra = '') => ({
    name,
    step: {
      encodedTaskContent: Buffer.from(
        `steps:\n  - id: file\n    cmd: busybox:local sh -c 'printf "FROM ${from}\\nLABEL made=%s\\n" "{{.Run.ID}}" > /workspace/Dockerfile'\n  - id: build\n    build: -t ${to} .\n    when: [file]\n  - id: push\n    push: ["${to}"]\n    when: [build]\n${extra}`,
      ).toString('base64'),
    },
    trigger: { baseImageTrigger: { baseImageTriggerType: 'All' } },
  });
  const middle = `${registry.host}/team/middle:1`;
  const leaf = `${registry.host}/team/leaf:1`;
  const runNow = async (task: string): Promise<RunResource> => {
    const { body } = await daemon.api<RunResource>('POST', '/api/v1/runs', { type: 'TaskRunRequest', task });
    const ended = await endOf(daemon, body.runId);
    expect(ended?.status, ended?.runErrorMessage ?? JSON.stringify(ended)).toBe('Succeeded');
    return body;
  };
  await daemon.api('POST', '/api/v1/tasks', { ...build('base', 'scratch', base), trigger: {} });
  await runNow('base');
  for (const definition of [build('middle', base, middle), build('leaf', middle, leaf)]) {
    expect((await daemon.api('POST', '/api/v1/tasks', definition)).status).toBe(201);
    await runNow(definition.name);
  }
  await settled(daemon);
  expect((await runsOf(daemon, 'middle')).length).toBe(1);
  const graph = (await daemon.api<DependencyGraph>('GET', `/api/v1/deps?whatIf=${encodeURIComponent(base)}`)).body;
  expect(graph.whatIf?.rebuilds).toMatchObject([
    { task: 'middle', after: [] },
    { task: 'leaf', after: ['middle'] },
  ]);

  const pushed = await runNow('base');
  const rebuilt = await newestRun(daemon, 'middle', 2);
  expect(rebuilt).toMatchObject({
    trigger: 'Image Update',
    priority: -100,
    causes: [{ kind: 'image-update', run: pushed.runId, task: 'base' }, { kind: 'manual' }],
  });
  expect((await endOf(daemon, rebuilt.runId))?.status).toBe('Succeeded');
  const last = await newestRun(daemon, 'leaf', 2);
  expect(last.causes).toMatchObject([{ kind: 'image-update' }, { kind: 'image-update', task: 'base' }, { kind: 'manual' }]);
  expect((await endOf(daemon, last.runId))?.status).toBe('Succeeded');
  await settled(daemon);
  expect((await runsOf(daemon, 'middle')).length).toBe(2);
  expect((await runsOf(daemon, 'leaf')).length).toBe(2);
  expect(daemon.stderr).not.toContain('a defect');
});

test('a task that never ran is rebuilt for a new base image; a bad file at the commit of a push fails its run with its place', async () => {
  await using registry = await startRegistry();
  await using server = await startGitServer();
  const base = `${registry.host}/team/base:1`;
  await server.repository('app', async (work) => {
    await writeFile(join(work.directory, 'Dockerfile'), `FROM ${base}\nLABEL of=app\n`);
    await work.commit('one');
  });
  await using daemon = await startDaemon({ env: { ...LOOPBACK, SLIPWAY_BASE_IMAGE_WINDOW: '0' } });
  const pushBase = async (label: string): Promise<string> => {
    const text = `steps:\n  - id: file\n    cmd: busybox:local sh -c 'printf "FROM scratch\\nLABEL made=${label}\\n" > /workspace/Dockerfile'\n  - id: build\n    build: -t ${base} .\n    when: [file]\n  - push: ["${base}"]\n    when: [build]\n`;
    const body = { type: 'EncodedTaskRunRequest', encodedTaskContent: Buffer.from(text).toString('base64') };
    const { runId } = (await daemon.api<RunResource>('POST', '/api/v1/runs', body)).body;
    expect((await endOf(daemon, runId))?.status).toBe('Succeeded');
    return runId;
  };
  await pushBase('one');
  const url = `${server.url}/smart/app.git`;
  await daemon.api('POST', '/api/v1/tasks', {
    name: 'app',
    step: { contextPath: `${url}#main`, dockerFilePath: 'Dockerfile', imageNames: [`${registry.host}/team/app:1`] },
  });
  await daemon.api('POST', '/api/v1/tasks', { name: 'file', step: { contextPath: `${url}#main`, taskFilePath: 'acr-task.yaml' } });
  await waitFor(async () => {
    const { dependencies, followed } = (await daemon.api<DependencyGraph>('GET', '/api/v1/deps?task=app')).body;
    return dependencies.some(({ state }) => state === 'static') && followed.some(({ status }) => status === 'ok') ? true : undefined;
  }, 20_000);
  await settled(daemon);
  expect(await runsOf(daemon, 'app')).toEqual([]);
  const pusher = await pushBase('two');
  const run = await newestRun(daemon, 'app');
  expect(run.causes[0]).toMatchObject({ kind: 'image-update', run: pusher });
  expect((await endOf(daemon, run.runId))?.status).toBe('Succeeded');

  await daemon.api('POST', '/api/v1/tasks/file/check');
  await using work = await server.workTree('app');
  await writeFile(join(work.directory, 'acr-task.yaml'), 'steps:\n  - cmd: busybox:local true\n    when: [nowhere]\n');
  const commit = await work.commit('two');
  await work.git('push', 'origin', 'HEAD:main');
  await daemon.api('POST', '/api/v1/tasks/file/check');
  const bad = await newestRun(daemon, 'file');
  await endOf(daemon, bad.runId);
  const ended = (await daemon.api<RunResource>('GET', `/api/v1/runs/${bad.runId}`)).body;
  expect(ended).toMatchObject({ status: 'Failed', commit, error: { errorCode: 'bad-task' } });
  expect((await daemon.api<string>('GET', `/api/v1/runs/${bad.runId}/log`)).body).toContain('acr-task.yaml:3');
});

test('a tag runs with its name; a forked pull request waits for a person, and runs by the task file of its base', async () => {
  await using server = await startGitServer();
  await using registry = await startRegistry();
  const busybox = await publishBusybox(registry.host);
  const file = (word: string): string =>
    `steps:\n  - id: say\n    cmd: ${busybox} echo ${word} {{.Run.Commit}} {{.Run.GitTag}} {{.Run.TriggeredBy}}\n`;
  await server.repository('app', async (work) => {
    await writeFile(join(work.directory, 'acr-task.yaml'), file('base'));
    await work.commit('one');
  });
  const repositoryUrl = `${server.url}/smart/app.git`;
  await using daemon = await startDaemon({ env: LOOPBACK });
  const events = ['commit', 'tag', 'pullrequest'];
  const source = {
    name: 'push',
    sourceTriggerEvents: events,
    tags: ['v*'],
    sourceRepository: { sourceControlType: 'Gitea', repositoryUrl },
  };
  await daemon.api('PUT', '/api/v1/secrets/KEY', { value: 'canary-secret' });
  const created = await daemon.api('POST', '/api/v1/tasks', {
    name: 'web',
    step: {
      ...{ contextPath: `${repositoryUrl}#main`, taskFilePath: 'acr-task.yaml' },
      values: [{ name: 'key', isSecret: true, value: { secret: 'KEY' } }],
    },
    trigger: { sourceTriggers: [source] },
  });
  expect(created.status, JSON.stringify(created.body)).toBe(201);
  await daemon.api('POST', '/api/v1/tasks/web/check');
  const hook = (await daemon.api<HookSecretResource>('POST', '/api/v1/tasks/web/hooks')).body;

  await using work = await server.workTree('app');
  const base = (await work.git('rev-parse', 'HEAD')).trim();
  await work.git('tag', 'v1.2');
  await work.git('push', 'origin', 'v1.2');
  await daemon.api('POST', '/api/v1/tasks/web/check');
  const tagged = await newestRun(daemon, 'web');
  expect((await endOf(daemon, tagged.runId))?.status).toBe('Succeeded');
  expect((await daemon.api<string>('GET', `/api/v1/runs/${tagged.runId}/log`)).body).toContain(`base ${base} v1.2 Tag`);

  await writeFile(join(work.directory, 'acr-task.yaml'), file('evil'));
  const head = await work.commit('from a fork');
  await work.git('push', 'origin', 'HEAD:refs/pull/5/head');
  const side = (id: number, ref: string, sha: string) => ({
    ...{ ref, sha, repo_id: id },
    repo: { id, full_name: `r${id}/app`, clone_url: repositoryUrl, default_branch: 'main' },
  });
  const payload = {
    ...{ action: 'opened', number: 5, repository: side(7, '', '').repo, sender: { login: 'stranger' } },
    pull_request: { number: 5, head: side(8, 'feature', head), base: side(7, 'main', base) },
  };
  const answer = await deliver(hook, payload, randomUUID(), 'pull_request');
  expect(answer.status, await answer.clone().text()).toBe(202);
  const { runId } = await newestRun(daemon, 'web', 2);
  const show = async (): Promise<RunResource> => (await daemon.api<RunResource>('GET', `/api/v1/runs/${runId}`)).body;
  const held = await show();
  expect(held).toMatchObject({
    status: 'Queued',
    trust: 'untrusted',
    hold: { approval: { commit: head } },
    waiting: { reason: 'approval' },
  });
  expect(held.step).toMatchObject({ values: [] });
  expect((await daemon.api('POST', `/api/v1/runs/${runId}/approve`, { commit: base })).status).toBe(409);
  const approved = await daemon.api<RunResource>('POST', `/api/v1/runs/${runId}/approve`, { commit: head.slice(0, 12) });
  expect([approved.status, approved.body.approval?.commit]).toEqual([200, head]);
  expect((await endOf(daemon, runId))?.status).toBe('Succeeded');
  const log = (await daemon.api<string>('GET', `/api/v1/runs/${runId}/log`)).body;
  expect(log).toContain(`base ${head}`);
  expect(log).toContain('Pull Request');
});

/** No event is undecided and no run waits or runs. */
async function settled(daemon: TestDaemon): Promise<void> {
  await waitFor(async () => {
    const { body } = await daemon.api<{ items: unknown[] }>('GET', '/api/v1/trigger-events?status=pending');
    const { body: live } = await daemon.api<{ items: unknown[] }>('GET', '/api/v1/runs?status=Queued,Started,Running');
    return body.items.length === 0 && live.items.length === 0 ? true : undefined;
  }, 60_000);
}
