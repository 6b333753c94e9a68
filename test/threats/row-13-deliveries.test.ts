import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HookSecretResource } from '../../src/api/hook-schema.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { type GitServer, type GitWork, startGitServer } from '../support/git-server.ts';
import { waitFor } from '../support/wait-for.ts';
import { decided, defineTask, deliver, hookOf, push, runsOf } from './forge-rig.ts';

const MIB = 1024 * 1024;
const TASK = Buffer.from('version: v1.1.0\nsteps: []\n').toString('base64');

let git: GitServer;
let work: GitWork & AsyncDisposable;
let daemon: TestDaemon;
let hook: HookSecretResource;
let url: string;
const slow: { readonly socket: Socket; readonly closed: Promise<void> }[] = [];

async function follow(name: string, repository: string): Promise<HookSecretResource> {
  const source = { name: 'git', pollInterval: 0, commitStatus: false, sourceRepository: { sourceControlType: 'Github' } };
  const step = { contextPath: `${git.url}/smart/${repository}.git#main`, encodedTaskContent: TASK };
  await defineTask(daemon, { name, step, trigger: { sourceTriggers: [source] } });
  await daemon.api('POST', `/api/v1/tasks/${name}/check`);
  return hookOf(daemon, name);
}

beforeAll(async () => {
  git = await startGitServer();
  for (const name of ['app', 'other']) await git.repository(name, async (tree) => void (await tree.commit('one')));
  work = await git.workTree('app');
  url = `${git.url}/smart/app.git`;
  daemon = await startDaemon({ env: { SLIPWAY_ALLOW_LOOPBACK_ADDRESSES: 'true' } });
  hook = await follow('app', 'app');
  // Each says its head a byte at a time, and is waited for in the last test.
  for (let count = 0; count < 200; count += 1) slow.push(drip());
});
afterAll(async () => {
  for (const { socket } of slow) socket.destroy();
  await daemon[Symbol.asyncDispose]();
  await work[Symbol.asyncDispose]();
  await git[Symbol.asyncDispose]();
});

function drip(): { readonly socket: Socket; readonly closed: Promise<void> } {
  const { hostname, port } = new URL(daemon.url);
  const socket = connect(Number(port), hostname, () => socket.write(`POST /hooks/${hook.id} HTTP/1.1\r\nhost: x\r\nx: `));
  const timer = setInterval(() => socket.write('x'), 1000);
  const closed = new Promise<void>((resolve) => {
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(timer);
      resolve();
    });
  });
  socket.resume();
  return { socket, closed };
}

async function commit(message: string): Promise<{ readonly before: string; readonly after: string }> {
  const before = (await work.git('rev-parse', 'HEAD')).trim();
  const after = await work.commit(message);
  await work.git('push', '-q', 'origin', 'HEAD:main');
  return { before, after };
}

async function residentMiB(): Promise<number> {
  const status = await readFile(`/proc/${daemon.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

/** Sends without end, as much as is taken. Resolves with the status and what was sent when the other side has had enough. */
function flood(path: string, headers: Readonly<Record<string, string>>): Promise<{ readonly status: number; readonly sent: number }> {
  return new Promise((resolve) => {
    let sent = 0;
    let status = 0;
    const chunk = Buffer.alloc(MIB, 0x20);
    const call = request(`${daemon.url}${path}`, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', ...headers },
    });
    const more = (): void => {
      while (!call.destroyed && status === 0 && sent < 2048 * MIB) {
        sent += chunk.length;
        if (!call.write(chunk)) break;
      }
    };
    call.on('drain', more);
    call.on('response', (answer) => {
      status = answer.statusCode ?? 0;
      answer.resume();
      answer.on('end', () => call.destroy());
    });
    call.on('error', () => undefined);
    call.on('close', () => resolve({ status, sent }));
    more();
  });
}

describe('threat 13: a flood of deliveries', () => {
  it('of two gigabytes each is refused early, in little memory', async () => {
    const before = await residentMiB();
    let most = before;
    let over = false;
    const watching = (async () => {
      for (; !over; await pause(10)) most = Math.max(most, await residentMiB());
    })();
    const declared = await flood(`/hooks/${hook.id}`, { 'content-length': String(2048 * MIB) });
    expect(declared.sent / MIB).toBeLessThan(16);
    const nowhere = await flood(`/hooks/${'x'.repeat(22)}`, { 'transfer-encoding': 'chunked' });
    expect([nowhere.status === 404 || nowhere.status === 0, nowhere.sent / MIB < 16]).toStrictEqual([true, true]);
    const chunked = await Promise.all(Array.from({ length: 24 }, () => flood(`/hooks/${hook.id}`, { 'transfer-encoding': 'chunked' })));
    for (const { status, sent } of chunked) {
      expect([0, 413, 503]).toContain(status);
      expect(sent / MIB).toBeLessThan(48);
    }
    over = true;
    await watching;
    // Ten bodies of 25 MiB are read at once, and nothing else.
    expect(most - before).toBeLessThan(640);
    expect((await daemon.api('GET', '/healthz')).status).toBe(200);
    const { before: from, after } = await commit('after the flood');
    expect((await decided(daemon, await deliver(hook, { event: 'push', payload: push({ url, before: from, after }) }))).length).toBe(1);
  });

  it('with wrong signatures, a thousand a second, slows down nobody else', async () => {
    const body = Buffer.from(JSON.stringify(push({ url, before: 'a'.repeat(40), after: 'b'.repeat(40), message: 'x'.repeat(6000) })));
    const headers = {
      ...{ 'content-type': 'application/json', 'content-length': String(body.length), 'x-github-event': 'push', 'x-github-delivery': 'd' },
      'x-hub-signature-256': `sha256=${createHmac('sha256', 'wrong').update(body).digest('hex')}`,
    };
    const agent = new Agent({ keepAlive: true, maxSockets: 50 });
    const wrong: Promise<number>[] = [];
    const send = (): Promise<number> =>
      new Promise((resolve, reject) => {
        const call = request(hook.url, { method: 'POST', agent, headers }, (answer) => {
          answer.resume();
          answer.on('end', () => resolve(answer.statusCode ?? 0));
        });
        call.on('error', reject);
        call.end(body);
      });
    const other = await follow('other', 'other');
    const times: number[] = [];
    const startMs = performance.now();
    for (let second = 0; second < 20; second += 1) {
      for (let count = 0; count < 100; count += 1) wrong.push(send());
      const beganMs = performance.now();
      // Each is looked for at its source: a few are enough.
      const after = (second - (second % 5)).toString(16).padStart(40, 'c');
      const payload = push({ url, before: 'a'.repeat(40), after });
      const [own, others, api] = await Promise.all([
        deliver(hook, { event: 'push', payload, id: `own-${after}` }),
        deliver(other, { event: 'push', payload: { zen: 'no push at all' } }),
        daemon.api('GET', '/api/v1/tasks/app'),
      ]);
      times.push(performance.now() - beganMs);
      expect([own.status, others.status, api.status]).toStrictEqual([second % 5 === 0 ? 202 : 200, 400, 200]);
      await pause(Math.max(0, startMs + (second + 1) * 100 - performance.now()));
    }
    expect(new Set(await Promise.all(wrong))).toStrictEqual(new Set([401]));
    agent.destroy();
    times.sort((left, right) => left - right);
    // On a machine that does nothing else it is a tenth of that.
    expect(times[Math.floor(times.length / 2)]).toBeLessThan(1500);
  });

  it('of old bodies starts nothing, also when what was known of them has been forgotten', async () => {
    const first = await commit('first');
    const delivery = { event: 'push' as const, payload: push({ url, ...first }), id: 'an-old-delivery' };
    await decided(daemon, await deliver(hook, delivery));
    const second = await commit('second');
    const newer = { event: 'push' as const, payload: push({ url, ...second }), id: 'a-newer-delivery' };
    await decided(daemon, await deliver(hook, newer));
    const runs = (await runsOf(daemon, 'app')).length;
    expect(await deliver(hook, delivery)).toMatchObject({ status: 200, text: expect.stringContaining('"duplicate":true') });
    // As if the time for which events are kept were over.
    await daemon.stop();
    const database = new Database(join(daemon.data, 'slipway.db'));
    database.exec('DELETE FROM trigger_events');
    database.close();
    await daemon.start();
    hook = await hookOf(daemon, 'app');
    const codes = async (which: typeof delivery) =>
      (await decided(daemon, await deliver(hook, which))).flatMap(({ decisions }) => decisions.map(({ code }) => code));
    expect(await codes(delivery)).toStrictEqual([expect.stringMatching(/^(?:not-head|already-fired)$/)]);
    expect(await codes(newer)).toStrictEqual(['already-fired']);
    expect(await codes({ ...delivery, payload: push({ url, before: 'a'.repeat(40), after: first.before }), id: 'x' })).toStrictEqual([
      expect.stringMatching(/^(?:not-head|already-fired)$/),
    ]);
    expect((await runsOf(daemon, 'app')).length).toBe(runs);
  }, 120_000);

  it('leaves no secret of a path in a log, and no way to guess one', async () => {
    const { body: dockerHub } = await daemon.api<HookSecretResource>('POST', '/api/v1/hooks', {
      registry: 'docker.io',
      registryKind: 'dockerhub',
    });
    const post = (place: string) => fetch(place, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    await post(dockerHub.urlWithSecret);
    await post(`${dockerHub.urlWithSecret}?secret=${dockerHub.secret}`);
    const almost = `${dockerHub.secret.slice(0, -1)}${dockerHub.secret.endsWith('A') ? 'B' : 'A'}`;
    expect((await post(`${dockerHub.url}/${almost}`)).status).toBe(401);
    expect((await post(`${dockerHub.url}/`)).status).toBeGreaterThanOrEqual(400);
    await waitFor(async () => (daemon.stderr.split(dockerHub.id).length > 3 ? true : undefined));
    expect(daemon.stderr).not.toContain(dockerHub.secret);
    expect(daemon.stderr).not.toContain(almost);
    for (const { id, secret } of [hook, dockerHub]) {
      expect([id.length, Buffer.from(id, 'base64url').length]).toStrictEqual([22, 16]);
      expect(Buffer.from(secret, 'base64url').length).toBe(32);
    }
    const listed = JSON.stringify((await daemon.api('GET', '/api/v1/hooks')).body);
    expect(listed).toContain(hook.id);
    for (const { secret } of [hook, dockerHub]) expect(listed).not.toContain(secret);
  });

  it('that never end their heads are cut off', async () => {
    // Those that were there before the daemon was started again ended with it.
    const again = Array.from({ length: 50 }, drip);
    slow.push(...again);
    const { before, after } = await commit('beside slow ones');
    expect((await deliver(hook, { event: 'push', payload: push({ url, before, after }) })).status).toBe(202);
    await Promise.all(slow.map(({ closed }) => closed));
  });
});
