import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitFor } from '../../support/wait-for.ts';
import { type RawAnswer, send } from './client.ts';
import { ADMIN, type DaemonFixture, startDaemon, TASK_FILE } from './daemon-fixture.ts';

const REPOSITORY = 'https://git.example/me/app.git';
const MIB = 1024 * 1024;
const LIMITS = { hookBytes: 2 * MIB, hookBytesAtOnce: 4 * MIB, bodyMs: 500 };

let daemon: DaemonFixture & AsyncDisposable;
let hook: { readonly id: string; readonly secret: string };
beforeEach(async () => {
  daemon = await startDaemon({ limits: LIMITS });
  hook = await gitHook(daemon);
});
afterEach(() => daemon[Symbol.asyncDispose]());

async function gitHook({ services, defineTask }: DaemonFixture, task = 'web', repositoryUrl = REPOSITORY) {
  await defineTask(task);
  const source = { name: 'push', sourceRepository: { repositoryUrl, sourceControlType: 'Gitea' as const } };
  await services.tasks.patch(ADMIN, task, { trigger: { sourceTriggers: { set: [source] } } });
  const opened = await services.hooks.ensureForTask(ADMIN, await services.tasks.get(ADMIN, task), 'push');
  return { id: opened.hook.id, secret: opened.secret };
}

function push(commit = 'b'): string {
  const repository = { id: 1, full_name: 'me/app', clone_url: REPOSITORY, default_branch: 'main' };
  return JSON.stringify({ ref: 'refs/heads/main', before: 'a'.repeat(40), after: commit.repeat(40), repository });
}

function post(
  path: string,
  body: string,
  { secret = hook.secret, headers = {} }: { secret?: string; headers?: Record<string, string> } = {},
) {
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const sent = { 'content-type': 'application/json', 'x-gitea-event': 'push', 'x-gitea-delivery': 'one', 'x-gitea-signature': signature };
  return send(daemon.url, { method: 'POST', path, headers: { ...sent, ...headers }, body: Buffer.from(body) });
}

const events = () => daemon.store.events.list({ limit: 100 });

describe('a delivery', () => {
  test('is stored before it is answered, from whatever host and origin, and known when it comes again', async () => {
    const headers = { host: 'elsewhere.example', origin: 'https://forge.example' };
    const first = await post(`/hooks/${hook.id}`, push(), { headers });
    const [event] = await events();
    expect([first.status, first.json()]).toEqual([202, { events: [event?.id] }]);
    expect(event).toMatchObject({ origin: 'webhook', happening: { kind: 'push', ref: 'refs/heads/main', hook: hook.id } });
    const listed = await send(daemon.socket, { method: 'GET', path: '/api/v1/hooks' });
    expect(listed.json()).toMatchObject({ items: [{ lastDelivery: { result: `taken: ${event?.id}` } }] });
    const again = await post(`/hooks/${hook.id}`, push());
    expect([again.status, again.json()]).toEqual([200, { events: [event?.id], duplicate: true }]);
    const metrics = await daemon.services.operations.metrics();
    expect(metrics.text).toContain('slipway_hook_deliveries_total{result="taken"} 1');
    expect(metrics.text).toContain('slipway_hook_deliveries_total{result="known"} 1');
    expect(metrics.text).toContain('slipway_events{status="pending"} 1');
  });

  test('with another secret is refused, and nothing of it is stored', async () => {
    expect((await post(`/hooks/${hook.id}`, push(), { secret: 'another' })).status).toBe(401);
    expect(await events()).toEqual([]);
  });

  test('to a hook that is not there is refused before its body is read', async () => {
    const answer = await endless(`/hooks/${'x'.repeat(22)}`, 100 * MIB);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect((await post('/hooks/short', push())).status).toBe(404);
  });

  test('that is too large is refused while it is read, whether it says so or not', async () => {
    const declared = await endless(`/hooks/${hook.id}`, 3 * MIB);
    expect(declared).toMatch(/^HTTP\/1\.1 413 /);
    expect(declared).toContain('{"error":"the delivery is larger than `webhookBodyLimit`');
    const chunked = await endless(`/hooks/${hook.id}`, undefined, 2 * MIB + 1);
    expect(chunked).toMatch(/^HTTP\/1\.1 413 /);
    expect(await events()).toEqual([]);
  });

  test('of a slow sender is cut off, and keeps nobody out meanwhile', async () => {
    const slow = Array.from({ length: 40 }, () => endless(`/hooks/${hook.id}`, MIB, 1));
    const full = Array.from({ length: 40 }, () => endless(`/hooks/${hook.id}`, MIB, 30_000));
    const small = await Promise.all(Array.from({ length: 5 }, (_, index) => post(`/hooks/${hook.id}`, push(String(index)))));
    expect(small.map(({ status }) => status)).not.toContain(503);
    const large = await post(`/hooks/${hook.id}`, `${push('c')}${' '.repeat(MIB / 2)}`, { headers: { 'x-gitea-delivery': 'two' } });
    expect(large.status).toBe(202);
    for (const answer of await Promise.all([...slow, ...full])) expect(answer).toMatch(/^$|^HTTP\/1\.1 503 /);
    const later = await post(`/hooks/${hook.id}`, push('d'), { headers: { 'x-gitea-delivery': 'three' } });
    expect(later.status).toBe(202);
  });

  test('of many forged ones is answered 401 while genuine ones from the same address are taken; large ones wait', async () => {
    const forged = `${push()}${' '.repeat(MIB / 2)}`;
    for (let count = 0; count < 100; count += 1) expect((await post(`/hooks/${hook.id}`, forged, { secret: 'another' })).status).toBe(401);
    expect((await post(`/hooks/${hook.id}`, push())).status).toBe(202);
    const large = await post(`/hooks/${hook.id}`, `${push()}${' '.repeat(MIB)}`);
    expect([large.status, Number(large.headers['retry-after']) > 0]).toEqual([503, true]);
    const other = await gitHook(daemon, 'other', 'https://git.example/me/other.git');
    expect((await post(`/hooks/${other.id}`, `${push()}${' '.repeat(MIB)}`, { secret: other.secret })).status).toBe(200);
  });

  test('that cannot be stored is to be sent again', async () => {
    await daemon.store.close();
    const answer = await post(`/hooks/${hook.id}`, push());
    expect([answer.status, Number(answer.headers['retry-after']) > 0]).toEqual([503, true]);
  });

  test('leaves no secret of its path in the log', async () => {
    await post(`/hooks/${hook.id}/${hook.secret}`, push());
    const lines = await waitFor(async () => (daemon.logged().includes(hook.id) ? daemon.logged() : undefined), 5000);
    expect(lines).not.toContain(hook.secret);
    expect(lines).toContain(`/hooks/${hook.id}/…`);
  });
});

test('the hook of a repository is one, however its tasks write it, and another secret takes the place of the one before', async () => {
  const token = await daemon.token({ name: 'ed', role: 'editor' });
  const call = (method: string, path: string, body?: unknown): Promise<RawAnswer> =>
    send(daemon.url, { method, path: `/api/v1${path}`, token, ...(body === undefined ? {} : { body }) });
  await daemon.defineTask('other');
  const source = { name: 'push', sourceRepository: { repositoryUrl: 'https://git.example/me/app/', sourceControlType: 'Gitea' } };
  await call('PATCH', '/tasks/other', { trigger: { sourceTriggers: { set: [source] } } });
  const same = await call('POST', '/tasks/other/hooks', {});
  expect([same.status, same.json()]).toMatchObject([
    200,
    {
      ...{ id: hook.id, secret: hook.secret, tasks: ['other', 'web'], url: `http://daemon.test/hooks/${hook.id}` },
      urlWithSecret: `http://daemon.test/hooks/${hook.id}/${hook.secret}`,
    },
  ]);
  const listed = await call('GET', '/hooks');
  expect(listed.json()).toMatchObject({ items: [{ id: hook.id, source: { kind: 'git', repositoryUrl: REPOSITORY } }] });
  expect(listed.text).not.toContain(hook.secret);
  const rotated = (await call('POST', `/hooks/${hook.id}/rotate`)).json() as { secret: string; previousUntil: string };
  expect(rotated.secret).not.toBe(hook.secret);
  expect((await post(`/hooks/${hook.id}`, push(), { secret: hook.secret })).status).toBe(202);
  expect((await post(`/hooks/${hook.id}`, push('c'), { secret: rotated.secret, headers: { 'x-gitea-delivery': 'two' } })).status).toBe(202);
  const noToken = await call('POST', '/tasks/other/hooks', { atForge: true });
  expect([noToken.status, noToken.json()]).toMatchObject([422, { detail: 'there is no token for the forge' }]);
  expect((await call('DELETE', `/hooks/${hook.id}`)).status).toBe(204);
  expect((await post(`/hooks/${hook.id}`, push())).status).toBe(404);
});

test('the secret of a hook is for nobody who may not change all the tasks that it starts', async () => {
  const sourceTriggers = [
    { name: 'push', sourceRepository: { repositoryUrl: 'https://GIT.example/me/app', sourceControlType: 'Gitea' as const } },
  ];
  await daemon.services.tasks.create(ADMIN, { name: 'own', step: { encodedTaskContent: TASK_FILE }, trigger: { sourceTriggers } });
  const ask = (task: string, token: string): Promise<RawAnswer> =>
    send(daemon.url, { method: 'POST', path: `/api/v1/tasks/${task}/hooks`, token, body: {} });
  const own = await daemon.token({ name: 'own', role: 'editor', tasks: ['own*'] });
  const refused = await ask('own', own);
  expect([refused.status, refused.json()]).toMatchObject([403, { code: 'forbidden' }]);
  expect(refused.text).not.toContain(hook.secret);
  expect(refused.text).not.toMatch(/\bweb\b/);
  expect((await ask('web', own)).status).toBe(404);
  for (const role of ['viewer', 'runner'] as const) expect((await ask('web', await daemon.token({ name: role, role }))).status).toBe(403);
  const both = await ask('own', await daemon.token({ name: 'both', role: 'editor', tasks: ['own*', 'web'] }));
  expect([both.status, both.json()]).toMatchObject([200, { id: hook.id, secret: hook.secret }]);
});

/** Sends a head that announces `length` bytes (none: chunked), then `sent` bytes, and resolves with the answer when the connection ends. */
function endless(path: string, length: number | undefined, sent = 0): Promise<string> {
  const { hostname, port } = new URL(daemon.url);
  const size = length === undefined ? 'transfer-encoding: chunked' : `content-length: ${length}`;
  return new Promise((resolve) => {
    let said = '';
    const socket = connect(Number(port), hostname, () => {
      socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n${size}\r\n\r\n`);
      const body = Buffer.alloc(sent, 0x20);
      socket.write(length === undefined ? Buffer.concat([Buffer.from(`${sent.toString(16)}\r\n`), body, Buffer.from('\r\n')]) : body);
    });
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    socket.on('error', () => resolve(said));
    socket.on('close', () => resolve(said));
  });
}

test('who opens the address of a webhook is told that it is posted to', async () => {
  const answer = await send(daemon.url, { method: 'GET', path: `/hooks/${hook.id}` });
  expect([answer.status, answer.headers['allow'], answer.json()]).toEqual([405, 'POST', { error: expect.stringContaining('post to it') }]);
});

test('one webhook serves all triggers of a task on a repository; of several repositories one is named', async () => {
  const on = (name: string, repositoryUrl: string) => ({ name, sourceRepository: { repositoryUrl, sourceControlType: 'Gitea' as const } });
  const ask = async (body: object = {}) => send(daemon.socket, { method: 'POST', path: '/api/v1/tasks/web/hooks', body });
  const same = [on('push', REPOSITORY), { ...on('review', 'https://git.example/me/app'), status: 'Disabled' as const }];
  await daemon.services.tasks.patch(ADMIN, 'web', { trigger: { sourceTriggers: { set: same } } });
  expect(await ask().then((answer) => [answer.status, answer.json()])).toMatchObject([200, { id: hook.id, tasks: ['web'] }]);
  await daemon.services.tasks.patch(ADMIN, 'web', { trigger: { sourceTriggers: { set: [on('lib', 'https://git.example/me/lib.git')] } } });
  const answer = (await ask()).json();
  expect(answer).toMatchObject({ code: 'invalid-request', detail: expect.stringContaining('lib (https://git.example/me/lib.git)') });
  expect(JSON.stringify(answer)).toContain('--trigger-name');
  expect(await ask({ trigger: 'review' }).then((one) => one.json())).toMatchObject({ id: hook.id });
});
