import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EngineError } from '../../../src/model/engine-error.ts';
import { createFakeClock, settled } from '../../fakes/fake-clock.ts';
import { waitFor } from '../../support/wait-for.ts';
import {
  AGENT,
  begin,
  eventsOf,
  type Folder,
  makeFolder,
  NOW,
  openPlane,
  PLAN,
  type Plane,
  STARTED,
  SUCCEEDED,
  stepDone,
  stepStarted,
} from './control-plane.ts';

let folder: Folder;
let plane: Plane;
beforeEach(async () => {
  folder = await makeFolder();
  plane = await openPlane(folder);
});
afterEach(async () => {
  await plane.stop();
  await folder.remove();
});

async function reopen(options?: Parameters<typeof openPlane>[1]): Promise<void> {
  await plane.stop();
  plane = await openPlane(folder, options);
}

async function claimOne() {
  const assignment = await plane.gateway.claim(AGENT.id, NOW);
  if (assignment === undefined) throw new Error('nothing to claim');
  return assignment;
}

const chunk = (text: string, position: number, afterEvent = 2) => ({
  ...{ step: 'one', attempt: 1, stream: 'stdout' as const, bytes: Buffer.from(text), position, afterEvent },
  at: '2030-01-02T03:04:06.000Z',
});

test('a run goes from the queue through an agent to its end, and all that it told is kept', async () => {
  const { gateway, hub } = plane;
  await gateway.register(AGENT);
  const { id } = await plane.create();
  const watching = hub.subscribe(id);
  const lease = await claimOne();
  expect(lease).toMatchObject({ run: id, attempt: 1, leaseMs: 15_000, createTime: (await plane.get(id)).createTime });
  expect((await plane.get(id)).status).toBe('Started');
  await begin(gateway, lease);
  expect(await plane.get(id)).toMatchObject({
    status: 'Running',
    source: { branch: 'main' },
    steps: [
      { id: 'one', status: 'running', container: 'c-one' },
      { id: 'two', status: 'pending' },
    ],
  });
  await gateway.log(lease, chunk('hello\n', 6));
  gateway.progress(lease, eventsOf(id, 0, [{ type: 'build-progress', step: 'one', vertex: 'v', name: 'n', state: 'running' }]));
  const pushed = { type: 'image-pushed' as const, step: 'one', reference: 'registry.example/app:1', digest: 'sha256:1' };
  await gateway.report(lease, eventsOf(id, 3, [pushed, stepDone('one')]));
  await gateway.finish(lease, { ...SUCCEEDED, images: [pushed] });
  expect(await plane.get(id)).toMatchObject({
    status: 'Succeeded',
    lastEvent: 4,
    images: [{ digest: 'sha256:1' }],
    steps: [
      { status: 'succeeded', exitCode: 0 },
      { id: 'two', status: 'skipped' },
    ],
  });
  expect(await plane.logs.stat(id)).toMatchObject({ bytes: 6, sealed: true });
  const told = await watching.take(NOW.signal);
  if (typeof told === 'string') throw new Error(told);
  expect(
    told.map((message) => (message.kind === 'event' ? message.event.type : message.kind === 'status' ? message.status : message.kind)),
  ).toEqual([
    ...['Started', 'Running', 'run-started', 'step-started', 'output', 'build-progress', 'image-pushed', 'step-finished', 'Succeeded'],
  ]);
});

describe('writes', () => {
  test('of an older attempt are refused, every one', async () => {
    const { gateway } = plane;
    await gateway.register(AGENT);
    await plane.create();
    const old = await claimOne();
    await begin(gateway, old);
    const { held } = await gateway.register({ ...AGENT, bootId: 'boot2' });
    expect(held).toMatchObject([{ run: old.run, attempt: 2 }]);
    const stale = { code: 'stale-attempt' };
    await expect(gateway.report(old, eventsOf(old.run, 3, [stepDone('one')]))).rejects.toMatchObject(stale);
    await expect(gateway.planned(old, { plan: PLAN, source: {} })).rejects.toMatchObject(stale);
    expect(() => gateway.log(old, chunk('x', 1))).toThrow(/attempt 1 of run/);
    await expect(gateway.finish(old, SUCCEEDED)).rejects.toMatchObject(stale);
    await expect(gateway.release(old)).rejects.toMatchObject(stale);
    await expect(gateway.secrets(old, { kind: 'request' })).rejects.toMatchObject(stale);
    await expect(gateway.openUpload(old, '0'.repeat(64))).rejects.toMatchObject(stale);
    expect(await gateway.renew(AGENT.id, [old])).toEqual({ cancel: [], lost: [old] });
    expect(await plane.get(old.run)).toMatchObject({ status: 'Running', lastEvent: 2, attempt: 2 });
  });

  test('may be repeated after a lost answer; a gap, another run and output are refused', async () => {
    const { gateway } = plane;
    await gateway.register(AGENT);
    await plane.create();
    const lease = await claimOne();
    await begin(gateway, lease);
    await gateway.report(lease, eventsOf(lease.run, 1, [STARTED, stepStarted('one'), stepDone('one')]));
    expect((await plane.get(lease.run)).lastEvent).toBe(3);
    const refused = { code: 'invalid-request' };
    await expect(gateway.report(lease, eventsOf(lease.run, 5, [stepDone('two')]))).rejects.toMatchObject(refused);
    await expect(gateway.report(lease, eventsOf('ra999', 4, [stepDone('two')]))).rejects.toMatchObject(refused);
    const output = { type: 'step-output', step: 'one', attempt: 1, stream: 'stdout', text: 'x' } as const;
    await expect(gateway.report(lease, eventsOf(lease.run, 4, [output]))).rejects.toMatchObject(refused);
    await gateway.finish(lease, SUCCEEDED);
    await gateway.finish(lease, SUCCEEDED);
    await expect(gateway.finish(lease, { ...SUCCEEDED, status: 'Failed' })).rejects.toMatchObject({ code: 'stale-attempt' });
  });

  test('of an agent that begins anew are numbered after what an earlier attempt told', async () => {
    const { gateway } = plane;
    await gateway.register(AGENT);
    await plane.create();
    const first = await claimOne();
    await gateway.report(first, eventsOf(first.run, 1, [{ type: 'note', level: 'info', message: 'fetching' }]));
    await gateway.release(first);
    const second = await claimOne();
    await begin(gateway, second);
    expect((await plane.store.runs.events(first.run, { after: 0, limit: 10 })).map(({ seq, type }) => [seq, type])).toEqual([
      [1, 'note'],
      [2, 'run-started'],
      [3, 'step-started'],
    ]);
  });
});

test('a run is given back before its first step only, and forgets the plan that it had', async () => {
  const { gateway } = plane;
  await gateway.register(AGENT);
  const { id } = await plane.create();
  const first = await claimOne();
  await gateway.planned(first, { plan: PLAN, source: {} });
  await gateway.release(first);
  expect(await plane.get(id)).toMatchObject({ status: 'Queued', steps: [] });
  const second = await claimOne();
  await begin(gateway, second);
  await expect(gateway.release(second)).rejects.toMatchObject({ code: 'conflict' });
  expect(await plane.get(id)).toMatchObject({ status: 'Running', attempt: 2, steps: [{ status: 'running' }, { status: 'pending' }] });
});

describe('after the daemon was killed', () => {
  test('the agent goes on with what it held: plan, states, positions in the log', async () => {
    await plane.gateway.register(AGENT);
    const { id } = await plane.create();
    const lease = await claimOne();
    await begin(plane.gateway, lease);
    await plane.gateway.log(lease, chunk('hello\n', 6));
    await plane.gateway.report(lease, eventsOf(id, 3, [stepDone('one'), stepStarted('two')]));
    await reopen();
    const { held, daemonId } = await plane.gateway.register({ ...AGENT, bootId: 'boot2' });
    expect(daemonId).toBe('abc123');
    expect(held).toMatchObject([
      {
        ...{ run: id, attempt: 2 },
        resume: {
          plan: PLAN,
          states: { one: { status: 'succeeded', exitCode: 0 }, two: { status: 'running', attempt: 1, container: 'c-two' } },
          positions: [{ step: 'one', attempt: 1, stream: 'stdout', position: 6 }],
          ...{ lastEvent: 4, source: { branch: 'main' } },
        },
      },
    ]);
    const resumed = held[0] as (typeof held)[number];
    await plane.gateway.report(resumed, eventsOf(id, 5, [stepDone('two')]));
    await plane.gateway.finish(resumed, SUCCEEDED);
    expect(await plane.get(id)).toMatchObject({
      status: 'Succeeded',
      attempt: 2,
      steps: [{ status: 'succeeded' }, { status: 'succeeded' }],
    });
  });

  test('a run whose last event tells its end has ended so', async () => {
    await plane.gateway.register(AGENT);
    const { id } = await plane.create();
    const lease = await claimOne();
    await begin(plane.gateway, lease);
    const { status, ...made } = SUCCEEDED;
    const finished = { type: 'run-finished', status, ...made, durationMs: 1, criticalPathMs: 1 } as const;
    await plane.gateway.report(lease, eventsOf(id, 3, [stepDone('one'), stepDone('two'), finished]));
    await reopen();
    expect((await plane.gateway.register(AGENT)).held).toEqual([]);
    expect(await plane.get(id)).toMatchObject({ status: 'Succeeded', steps: [{ status: 'succeeded' }, { status: 'succeeded' }] });
  });

  test('a run that breaks its agent while it is prepared is quarantined at the third time, and stops no other', async () => {
    const poison = await plane.create({ task: 'poison' });
    for (let crash = 1; crash <= 3; crash += 1) {
      await plane.gateway.register(AGENT);
      expect((await claimOne()).run).toBe(poison.id);
      await reopen();
    }
    await plane.gateway.register(AGENT);
    expect(await plane.get(poison.id)).toMatchObject({ status: 'Error', crashes: 3, error: { errorCode: 'run-quarantined' } });
    const other = await plane.create();
    expect((await claimOne()).run).toBe(other.id);
  });

  test('an agent that said goodbye broke nothing: what it prepared waits again', async () => {
    const { id } = await plane.create();
    for (let time = 1; time <= 4; time += 1) {
      await plane.gateway.register(AGENT);
      await claimOne();
      await plane.gateway.leave(AGENT.id);
      await reopen();
    }
    await plane.gateway.register(AGENT);
    expect(await plane.get(id)).toMatchObject({ status: 'Queued', crashes: 0 });
  });

  test('a disk that is full for a while ends no run: the agent registers again', async () => {
    await plane.gateway.register(AGENT);
    const { id } = await plane.create();
    await begin(plane.gateway, await claimOne());
    await reopen();
    const { runs } = plane.store;
    const { claim } = runs;
    const full = new EngineError('disk-full', 'the disk of the database is full', { transient: true });
    Object.assign(runs, { claim: () => Promise.reject(full) });
    await expect(plane.gateway.register(AGENT)).rejects.toBe(full);
    expect((await plane.get(id)).status).toBe('Running');
    Object.assign(runs, { claim });
    expect((await plane.gateway.register(AGENT)).held).toMatchObject([{ run: id, attempt: 2 }]);
  });

  test('a run whose plan cannot be opened ends, and the others go on', async () => {
    await plane.gateway.register(AGENT);
    const [broken, good] = [await plane.create(), await plane.create()];
    for (const lease of [await claimOne(), await claimOne()]) await begin(plane.gateway, lease);
    await plane.store.runs.checkpoint(broken.id, 1, { plan: Buffer.from('not sealed') });
    await reopen();
    const { held } = await plane.gateway.register(AGENT);
    expect(held.map(({ run }) => run)).toEqual([good.id]);
    expect(await plane.get(broken.id)).toMatchObject({ status: 'Error', error: { errorCode: 'secret-unavailable' } });
  });
});

describe('leases', () => {
  test('a jump of the wall clock loses none; silence does, within 20 seconds, and the agent finds its run again', async () => {
    const fake = createFakeClock();
    let skewMs = 0;
    await reopen({ clock: { ...fake, now: () => new Date(fake.now().getTime() + skewMs) } });
    const { gateway } = plane;
    await gateway.register(AGENT);
    const { id } = await plane.create();
    const idle = await plane.create();
    const [lease, notBegun] = [await claimOne(), await claimOne()];
    await begin(gateway, lease);
    for (const jump of [3_600_000, -3_600_000]) {
      skewMs = jump;
      await fake.advance(14_000);
      expect(await gateway.renew(AGENT.id, [lease, notBegun])).toEqual({ cancel: [], lost: [] });
    }
    await fake.advance(20_000);
    // What had begun nothing waits again.
    await waitFor(async () => ((await plane.get(idle.id)).status === 'Queued' ? true : undefined));
    expect(await plane.get(id)).toMatchObject({ status: 'Running', attempt: 1 });
    expect(await gateway.renew(AGENT.id, [lease, notBegun])).toEqual({ cancel: [], lost: [notBegun] });
    await gateway.report(lease, eventsOf(id, 3, [stepDone('one')]));
  });

  test('a process that stood still for a minute believes its agents to live', async () => {
    const fake = createFakeClock();
    let stoodMs = 0;
    await reopen({ clock: { ...fake, monotonicMs: () => fake.monotonicMs() + stoodMs } });
    const { gateway } = plane;
    await gateway.register(AGENT);
    await plane.create();
    const lease = await claimOne();
    stoodMs = 60_000;
    await fake.advance(4000);
    expect(await gateway.renew(AGENT.id, [lease])).toEqual({ cancel: [], lost: [] });
    expect(await plane.get(lease.run)).toMatchObject({ status: 'Started', attempt: 1 });
  });

  test('a run whose agent does not come back ends as agent-lost, or as Canceled when that was asked', async () => {
    const fake = createFakeClock();
    await reopen({ clock: fake });
    const { gateway, runs } = plane;
    await gateway.register(AGENT);
    const [lost, canceled] = [await plane.create(), await plane.create()];
    for (const lease of [await claimOne(), await claimOne()]) await begin(gateway, lease);
    await fake.advance(20_000);
    await settled();
    await runs.cancel(canceled.id, { name: 'me', from: 'unix' }, 'enough');
    expect(await plane.get(canceled.id)).toMatchObject({
      status: 'Canceled',
      error: { message: 'enough' },
      steps: [{ status: 'canceled' }, { status: 'skipped' }],
    });
    for (let minute = 0; minute < 6; minute += 1) await fake.advance(60_000);
    const ended = await waitFor(async () => {
      await fake.advance(3000);
      const record = await plane.get(lost.id);
      return record.status === 'Error' ? record : undefined;
    });
    expect(ended.error).toMatchObject({ step: 'one', errorCode: 'agent-lost' });
  });

  test('a cancel reaches the agent at once, and again with every renewal', async () => {
    const { gateway, runs } = plane;
    await gateway.register(AGENT);
    const { id } = await plane.create();
    const lease = await claimOne();
    const nudged = gateway.nudged(AGENT.id, NOW.signal);
    expect(await runs.cancel(id, { name: 'me', from: 'unix' })).toMatchObject({ kind: 'canceling' });
    await nudged;
    for (let time = 0; time < 2; time += 1)
      expect((await gateway.renew(AGENT.id, [lease])).cancel).toMatchObject([{ run: id, attempt: 1, reason: 'canceled by me' }]);
    await gateway.finish(lease, { ...SUCCEEDED, status: 'Canceled', error: { message: 'the run was canceled' } });
    expect((await plane.get(id)).status).toBe('Canceled');
  });
});

describe('secrets', () => {
  const argument = (name: string, value: { secret: string } | { sealed: string }) => ({ name, value, isSecret: true as const });

  test('of a request come from where they are; none for untrusted runs; only the upload that was asked for', async () => {
    const { gateway, runs, secrets } = plane;
    const admin = { name: 'root', role: 'admin' as const, from: 'unix' };
    await secrets.set(admin, { name: 'NPM', value: 'npm-token', tasks: ['app'] });
    const { runRequest } = await import('../../contract/store-values.ts');
    const step = { type: 'FileTask' as const, taskFilePath: 'acb.yaml', contextPath: `upload:${'a'.repeat(64)}` };
    const request = runRequest({
      task: 'app',
      step: { ...step, values: [argument('OWN', { sealed: 'run' }), argument('NPM', { secret: 'NPM' })] },
    });
    await expect(runs.create(request, admin)).rejects.toMatchObject({ code: 'invalid-request' });
    const { id } = await runs.create(request, admin, { 'argument:OWN': 'mine' });
    await runs.rerun(id, admin);
    await gateway.register(AGENT);
    for (const lease of [await claimOne(), await claimOne()]) {
      expect(await gateway.secrets(lease, { kind: 'request' })).toEqual({
        values: { OWN: 'mine', NPM: 'npm-token' },
        credentials: [],
        named: {},
      });
      expect((await gateway.secrets(lease, { kind: 'named', names: ['NPM'] })).named).toEqual({ NPM: 'npm-token' });
      await expect(gateway.openUpload(lease, 'b'.repeat(64))).rejects.toMatchObject({ code: 'policy-refused' });
    }
    expect((await plane.store.audit.list({ limit: 10, action: 'secret.use' })).length).toBe(4);
    await plane.create({ trust: 'untrusted' });
    await expect(gateway.secrets(await claimOne(), { kind: 'request' })).rejects.toMatchObject({ code: 'policy-refused' });
    // But for the token of a context that its trigger chose; whatever else stands in the row is not given.
    const pinned = { ...step, contextPath: `https://git.test/app.git#${'a'.repeat(40)}`, contextAccessToken: { secret: 'NPM' } };
    const rows = { ...{ task: 'app', trust: 'untrusted' as const }, step: { ...pinned, values: [argument('NPM', { secret: 'NPM' })] } };
    await plane.create(rows);
    await expect(gateway.secrets(await claimOne(), { kind: 'request' })).rejects.toMatchObject({ code: 'policy-refused' });
    await plane.create({ ...rows, pinnedCommit: 'a'.repeat(40) });
    const lease = await claimOne();
    expect(await gateway.secrets(lease, { kind: 'request' })).toEqual({
      values: {},
      credentials: [],
      named: {},
      contextToken: 'npm-token',
    });
    await expect(gateway.secrets(lease, { kind: 'named', names: ['NPM'] })).rejects.toMatchObject({ code: 'policy-refused' });
  });
});
