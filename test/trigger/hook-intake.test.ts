import { createHmac, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDeliveryReader } from '../../src/forge/delivery-reader.ts';
import { EngineError } from '../../src/model/engine-error.ts';
import type { Store } from '../../src/model/ports/store.ts';
import { createSecretBox } from '../../src/service/secret-box.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { createHookIntake, type HookAnswer, type HookIntake } from '../../src/trigger/hook-intake.ts';
import { createHookRegistry, type HookRegistry, type HookTarget } from '../../src/trigger/hook-registry.ts';
import { createFakeClock, type FakeClock } from '../fakes/fake-clock.ts';
import { type Folder, makeFolder } from '../service/runs/control-plane.ts';

const GITHUB: HookTarget = { kind: 'git', forge: 'Github', repositoryUrl: 'https://github.com/acme/app.git' };

let folder: Folder;
let clock: FakeClock;
let store: Store;
let registry: HookRegistry;
let intake: HookIntake;
let notified: number;
let problems: string[];
beforeEach(async () => {
  folder = await makeFolder();
  clock = createFakeClock();
  store = await openSqliteStore({ path: `${folder.path}/slipway.db`, clock });
  registry = createHookRegistry({ hooks: store.hooks, box: createSecretBox(folder.key), clock });
  notified = 0;
  problems = [];
  intake = makeIntake(store.events);
});
afterEach(async () => {
  await intake.close();
  await store.close();
  await folder.remove();
});

function makeIntake(events: Pick<Store['events'], 'record'>): HookIntake {
  return createHookIntake({
    ...{ hooks: store.hooks, registry, events, clock, reader: createDeliveryReader({ clock }) },
    notify: () => {
      notified += 1;
    },
    onProblem: (what) => void problems.push(what),
  });
}

interface Push {
  readonly repository?: number;
  readonly url?: string;
  readonly delivery?: string;
  readonly event?: string;
  readonly after?: string;
}

async function push(
  id: string,
  secret: string,
  { repository = 7, url = 'https://github.com/acme/app.git', ...parts }: Push = {},
): Promise<HookAnswer> {
  const { delivery = 'd1', event = 'push', after = 'b'.repeat(40) } = parts;
  const payload = {
    ...{ ref: 'refs/heads/main', before: 'a'.repeat(40), after, created: false, deleted: false, forced: false },
    ...{ head_commit: { id: after }, sender: { login: 'ada' }, pusher: { name: 'ada' } },
    repository: { id: repository, full_name: 'acme/app', clone_url: url, default_branch: 'main' },
  };
  const body = Buffer.from(JSON.stringify(payload));
  const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  const headers = {
    'content-type': 'application/json',
    'x-github-event': event,
    'x-github-delivery': delivery,
    'x-hub-signature-256': signature,
  };
  return intake.receive(id, { headers, body });
}

describe('deliveries', () => {
  it('are kept once, and answered with their events', async () => {
    const { hook, secret } = await registry.ensure(GITHUB, 'token ci');
    expect(await push(hook.id, secret)).toEqual({ status: 202, body: { events: ['e1'] } });
    expect(await store.events.get('e1')).toMatchObject({
      ...{ dedupKey: `hook:${hook.id}:d1:0`, origin: 'webhook', status: 'pending' },
      happening: { kind: 'push', ref: 'refs/heads/main', after: 'b'.repeat(40), hook: hook.id, repository: { id: '7' } },
    });
    expect(await push(hook.id, secret)).toEqual({ status: 200, body: { events: ['e1'], duplicate: true } });
    const another = await push(hook.id, secret, { delivery: 'd2' });
    expect(another).toMatchObject({ status: 202 });
    expect(another.body.events).not.toEqual(['e1']);
    expect(notified).toBe(2);
    await intake.close();
    expect((await registry.get(hook.id)).lastDelivery).toEqual({ at: '2030-01-02T03:04:05.000Z', result: `taken: ${another.body.events}` });
  });

  it('that are not genuine are refused, those of no interest are answered well', async () => {
    const { hook, secret } = await registry.ensure(GITHUB, 'token ci');
    expect(await push(hook.id, 'wrong')).toMatchObject({ status: 401, body: { error: expect.any(String) } });
    expect(await push(hook.id, secret, { event: 'ping' })).toEqual({ status: 200, body: { ping: true } });
    expect(await push(hook.id, secret, { event: 'star' })).toMatchObject({
      status: 200,
      body: { ignored: expect.stringContaining('star') },
    });
    expect(await push(randomBytes(16).toString('base64url'), secret)).toMatchObject({ status: 404 });
    expect(await push('../etc', secret)).toMatchObject({ status: 404 });
    expect(await intake.receive(hook.id, { headers: {}, body: Buffer.alloc(26 * 1024 * 1024) })).toMatchObject({ status: 413 });
    expect(await store.events.list({ limit: 10 })).toEqual([]);
    expect(notified).toBe(0);
  });

  it('of another repository than the first, by its id, are ignored', async () => {
    const { hook, secret } = await registry.ensure(GITHUB, 'token ci');
    // A webhook of a whole group tells of others too, and may do so first.
    const stranger = await push(hook.id, secret, { delivery: 'd0', repository: 9, url: 'https://github.com/acme/other.git' });
    expect(stranger).toMatchObject({ status: 200, body: { ignored: expect.stringMatching(/^other-repository/) } });
    // The forge may call itself by another host than tasks do.
    await push(hook.id, secret, { url: 'http://forge.internal:3000/Acme/app.git' });
    expect((await registry.get(hook.id)).source).toMatchObject({ repositoryId: '7' });
    const other = await push(hook.id, secret, { delivery: 'd2', repository: 8 });
    expect(other).toMatchObject({ status: 200, body: { ignored: expect.stringMatching(/^other-repository: .*8.*7$/) } });
    // It has another name now.
    const renamed = await push(hook.id, secret, { delivery: 'd3', url: 'https://github.com/acme/renamed.git' });
    expect(renamed).toMatchObject({ status: 202 });
    // Its tasks are those of the hook, whatever the payload calls it.
    const event = await store.events.get(renamed.body.events?.[0] ?? '');
    expect(event?.happening).toMatchObject({ repository: { id: '7', url: 'https://github.com/acme/app.git' } });
  });

  it('without an id of the repository are told by its URL', async () => {
    const { hook, secret } = await registry.ensure(
      { kind: 'git', forge: 'Generic', repositoryUrl: 'https://git.example/acme/app.git' },
      'token ci',
    );
    const send = (payload: object): Promise<HookAnswer> => {
      const body = Buffer.from(JSON.stringify(payload));
      const time = String(Math.floor(clock.now().getTime() / 1000));
      const signature = `sha256=${createHmac('sha256', secret).update(`${time}.`).update(body).digest('hex')}`;
      const headers = { 'content-type': 'application/json', 'x-slipway-timestamp': time, 'x-slipway-signature': signature };
      return intake.receive(hook.id, { headers, body });
    };
    const changes = ['main', 'next'].map((name) => ({ ref: `refs/heads/${name}`, before: 'a'.repeat(40), after: 'b'.repeat(40) }));
    expect(await send({ changes })).toEqual({ status: 202, body: { events: ['e1', 'e2'] } });
    expect(await send({ changes, repository: 'https://git.example/acme/app/' })).toMatchObject({ status: 202 });
    expect(await send({ changes, repository: 'https://git.example/acme/other.git' })).toMatchObject({
      ...{ status: 200, body: { ignored: 'other-repository: this webhook is for https://git.example/acme/app.git' } },
    });
  });

  it('that cannot be stored are to be sent again', async () => {
    const { hook, secret } = await registry.ensure(GITHUB, 'token ci');
    await intake.close();
    intake = makeIntake({ record: () => Promise.reject(new EngineError('disk-full', 'no room', { transient: true })) });
    expect(await push(hook.id, secret)).toEqual({
      ...{ status: 503, body: { error: 'the delivery cannot be kept now; send it again later' }, retryAfter: 10 },
    });
    expect(problems).toEqual([`a delivery of webhook ${hook.id} could not be kept`]);
  });

  it('come 1000 a second for ten seconds; far more are put off', async () => {
    const { hook, secret } = await registry.ensure(GITHUB, 'token ci');
    const ping = async (): Promise<number> => (await push(hook.id, secret, { event: 'ping' })).status;
    const statuses = await Promise.all(Array.from({ length: 10_000 }, ping));
    expect(new Set(statuses)).toEqual(new Set([200]));
    const more = await Promise.all(Array.from({ length: 10_001 }, ping));
    expect(more.at(-1)).toBe(503);
    const { hook: other, secret: otherSecret } = await registry.ensure(
      { ...GITHUB, repositoryUrl: 'https://github.com/acme/other' },
      'token ci',
    );
    expect((await push(other.id, otherSecret, { event: 'ping' })).status).toBe(200);
    await clock.advance(1000);
    expect(await ping()).toBe(200);
  });

  it('are counted by their events, and refused ones not at all', async () => {
    const { hook, secret } = await registry.ensure(
      { kind: 'git', forge: 'Generic', repositoryUrl: 'https://git.example/acme/app.git' },
      'token ci',
    );
    const send = (first: number, key = secret): Promise<HookAnswer> => {
      const changes = Array.from({ length: 1000 }, (_, index) => ({
        ...{ ref: `refs/heads/b${first + index}`, before: 'a'.repeat(40), after: 'b'.repeat(40) },
      }));
      const body = Buffer.from(JSON.stringify({ changes }));
      const time = String(Math.floor(clock.now().getTime() / 1000));
      const signature = `sha256=${createHmac('sha256', key).update(`${time}.`).update(body).digest('hex')}`;
      const headers = { 'content-type': 'application/json', 'x-slipway-timestamp': time, 'x-slipway-signature': signature };
      return intake.receive(hook.id, { headers, body });
    };
    for (let count = 0; count < 5; count += 1) expect((await send(0, 'wrong')).status).toBe(401);
    for (let count = 0; count < 20; count += 1) expect((await send(count * 1000)).status).toBe(202);
    expect(await send(20_000)).toMatchObject({ status: 503, retryAfter: 1 });
    await clock.advance(1000);
    expect((await send(20_000)).status).toBe(202);
  });

  it('are a crowd when they are proven and new; forged and repeated ones never are', async () => {
    const { hook, secret } = await registry.ensure(GITHUB, 'token ci');
    await push(hook.id, secret);
    await Promise.all(Array.from({ length: 100 }, () => push(hook.id, 'wrong')));
    await Promise.all(Array.from({ length: 100 }, () => push(hook.id, secret)));
    await Promise.all(Array.from({ length: 100 }, () => push('A'.repeat(22), secret)));
    expect(intake.isBusy()).toBe(false);
    await Promise.all(Array.from({ length: 100 }, (_, index) => push(hook.id, secret, { delivery: `n${index}` })));
    expect(intake.isBusy()).toBe(true);
    await clock.advance(250);
    expect(intake.isBusy()).toBe(false);
  });

  it('without a proof are written down once a minute, and hide no genuine one', async () => {
    const { hook, secret } = await registry.ensure(GITHUB, 'token ci');
    const last = async (): Promise<string | undefined> => (await registry.get(hook.id)).lastDelivery?.result;
    await push(hook.id, 'wrong');
    await clock.advance(2000);
    expect(await last()).toMatch(/^refused \(401\)/);
    await push(hook.id, secret);
    await push(hook.id, 'wrong');
    await clock.advance(2000);
    expect(await last()).toBe('taken: e1');
    await push(hook.id, 'wrong');
    await clock.advance(2000);
    expect(await last()).toBe('taken: e1');
    await clock.advance(60_000);
    await push(hook.id, 'wrong');
    await clock.advance(2000);
    expect(await last()).toMatch(/^refused \(401\)/);
  });
});

describe('webhooks', () => {
  it('there is one for each repository of a forge and each registry, however it is written and asked for', async () => {
    const targets: HookTarget[] = [
      ...[GITHUB, { ...GITHUB, repositoryUrl: 'https://github.com/Acme/App' }, { ...GITHUB, repositoryUrl: 'git@github.com:acme/app.git' }],
      { ...GITHUB, forge: 'Generic' },
      { kind: 'registry', registryKind: 'harbor', registry: 'registry.example' },
      { kind: 'registry', registryKind: 'harbor', registry: 'registry.example' },
      { kind: 'registry', registryKind: 'distribution', registry: 'registry.example' },
    ];
    const made = await Promise.all(targets.map((target) => registry.ensure(target, 'token ci')));
    expect(made.map(({ created }) => created)).toEqual([true, false, false, true, true, false, true]);
    expect(new Set(made.map(({ hook }) => hook.id)).size).toBe(4);
    expect(made[1]?.secret).toBe(made[0]?.secret);
    expect(made[0]?.secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from((await registry.list())[0]?.secret ?? []).includes(made[0]?.secret ?? '-')).toBe(false);
    expect(await registry.find(GITHUB)).toMatchObject({ id: made[0]?.hook.id });
  });

  it('a rotated secret is good at once, the one before for 24 hours more', async () => {
    const { hook, secret } = await registry.ensure(GITHUB, 'token ci');
    const { secret: newer } = await registry.rotate(hook.id);
    expect(newer).not.toBe(secret);
    expect(await push(hook.id, newer, { delivery: 'd1' })).toMatchObject({ status: 202 });
    expect(await push(hook.id, secret, { delivery: 'd2' })).toMatchObject({ status: 202 });
    await clock.advance(24 * 3_600_000);
    expect(await push(hook.id, secret, { delivery: 'd3' })).toMatchObject({ status: 401 });
    expect(await push(hook.id, newer, { delivery: 'd3' })).toMatchObject({ status: 202 });
  });

  it('keep what the forge calls them; deleted they are gone', async () => {
    const { hook, secret } = await registry.ensure(GITHUB, 'token ci');
    await registry.setRemote(hook.id, '4711');
    expect(await registry.get(hook.id)).toMatchObject({ remoteId: '4711' });
    await registry.delete(hook.id);
    expect(await push(hook.id, secret)).toMatchObject({ status: 404 });
    await expect(registry.get(hook.id)).rejects.toMatchObject({ code: 'not-found' });
    await expect(registry.rotate(hook.id)).rejects.toMatchObject({ code: 'not-found' });
    expect((await registry.ensure(GITHUB, 'token ci')).hook.id).not.toBe(hook.id);
  });
});
