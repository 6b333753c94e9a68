import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../src/model/run-record.ts';
import { settled } from '../../fakes/fake-clock.ts';
import { forgeState, giteaApi } from '../../fakes/forge-apis.ts';
import { startForge } from '../../fakes/forges.ts';
import { waitFor } from '../../support/wait-for.ts';
import { commitOf, type OutboxRig, outboxRig } from './outbox-rig.ts';

const HOUR_MS = 3_600_000;

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await waitFor(async () => ((await condition()) ? true : undefined));
}

async function rowOf(rig: OutboxRig, run: RunRecord) {
  const [row] = await rig.store.statuses.ofRun(run.id);
  if (row === undefined) throw new Error(`no status of ${run.id}`);
  return row;
}

describe('what a forge is told', () => {
  it('is how the run of a commit stands', async () => {
    await using rig = await outboxRig();
    const outbox = rig.open();
    const queued = await rig.run(1);
    outbox.runChanged(queued);
    await until(() => rig.state.statuses.length === 1);
    const started = await rig.started(queued);
    outbox.runChanged(started);
    await until(() => rig.state.statuses.length === 2);
    await rig.clock.advance(72_000);
    outbox.runChanged(await rig.ended(started, 'Succeeded'));
    await until(() => rig.state.statuses.length === 3);
    expect(rig.told()).toEqual(['pending', 'pending', 'success']);
    expect(rig.state.statuses[2]).toMatchObject({
      place: commitOf(1),
      body: {
        context: 'slipway/shop',
        description: 'Succeeded in 1 m 12 s',
        target_url: `https://slipway.example.com/runs/${queued.id}`,
      },
    });
    await until(async () => (await rowOf(rig, queued)).delivered === (await rowOf(rig, queued)).version);
    expect(rig.problems).toEqual([]);
  });

  it('is nothing of what the run failed with', async () => {
    await using rig = await outboxRig();
    const failed = await rig.ended(await rig.started(await rig.run(1)), 'Failed');
    rig.open().runChanged(failed);
    await until(() => rig.told().includes('failure'));
    expect(JSON.stringify(rig.fake.asked)).not.toContain('hunter2');
  });

  it('is told of untrusted runs too, with what they wait for', async () => {
    await using rig = await outboxRig();
    const run = await rig.run(2, { trust: 'untrusted', causes: [rig.cause(2, { event: 'pullrequest', pullRequest: '9' })] });
    await rig.store.runs.hold(run.id, { because: 'a fork', approval: { commit: commitOf(2) } });
    const held = await rig.store.runs.get(run.id);
    if (held !== undefined) rig.open().runChanged(held);
    await until(() => rig.state.statuses.length === 1);
    expect(rig.state.statuses[0]?.body['description']).toBe('Waits for approval');
  });

  it('goes to the repository of the trigger, whatever a delivery called it', async () => {
    await using rig = await outboxRig();
    await using other = await startForge(() => ({ status: 201, body: {} }));
    rig.open().runChanged(await rig.run(3, { causes: [rig.cause(3, { repositoryUrl: `${other.url}/acme/shop.git` })] }));
    await until(() => rig.state.statuses.length === 1);
    expect(other.asked).toEqual([]);
  });

  it('follows a rerun, and an older run no more', async () => {
    await using rig = await outboxRig();
    const outbox = rig.open();
    const first = await rig.started(await rig.run(1));
    const again = await rig.run(1, { causes: [{ kind: 'rerun', principal: 'me', run: first.id }, rig.cause(1)] });
    outbox.runChanged(again);
    await until(() => rig.told().length === 1);
    outbox.runChanged(await rig.ended(first, 'Failed'));
    await outbox.stored();
    outbox.runChanged(await rig.ended(await rig.started(again), 'Succeeded'));
    await until(() => rig.told().includes('success'));
    expect(rig.told()).not.toContain('failure');
  });

  it.each([
    ['a person asked', [{ kind: 'manual', principal: 'me', from: 'cli' }]],
    ['a timer', [{ kind: 'timer', trigger: 'nightly', occurrence: '2030-01-01T00:00:00Z' }]],
    ['another task was built of a commit', [{ kind: 'after', task: 'base', run: 'ra001' }, 'source']],
    ['a base image was built of a commit', [{ kind: 'image-update', trigger: 'base', images: [], run: 'ra001', task: 'base' }, 'source']],
    ['a trigger that is no more', [{ kind: 'source-of', trigger: 'gone' }]],
  ] as const)('nothing when the cause is: %s', async (_name, causes) => {
    await using rig = await outboxRig();
    const outbox = rig.open();
    const made = causes.map((cause) =>
      cause === 'source' ? rig.cause(1) : cause.kind === 'source-of' ? rig.cause(1, { trigger: cause.trigger }) : cause,
    );
    const run = await rig.run(1, { causes: made });
    outbox.runChanged(run);
    await outbox.stored();
    expect(await rig.store.statuses.ofRun(run.id)).toEqual([]);
  });

  it('nothing when the trigger wants none, has no API, or has no token', async () => {
    await using rig = await outboxRig();
    const run = await rig.run(1);
    const silent = rig.open({ triggerOf: () => Promise.resolve(rig.trigger({ commitStatus: false })) });
    silent.runChanged(run);
    await silent.stored();
    const { repositoryUrl } = rig.trigger().sourceRepository;
    const generic = rig.open({
      triggerOf: () => Promise.resolve(rig.trigger({ sourceRepository: { sourceControlType: 'Generic', repositoryUrl } })),
    });
    generic.runChanged(run);
    await generic.stored();
    expect(await rig.store.statuses.ofRun(run.id)).toEqual([]);
    await Promise.all([silent.close(), generic.close()]);
    rig.open({ tokenOf: () => Promise.resolve(undefined) }).runChanged(run);
    await until(async () => (await rig.store.statuses.ofRun(run.id))[0]?.error === 'not sent: the trigger has no token');
    expect([rig.fake.asked, rig.problems]).toEqual([[], []]);
  });
});

describe('a forge in trouble', () => {
  it('gets only the newest state when it is back', async () => {
    await using rig = await outboxRig();
    const outbox = rig.open();
    rig.fake.failAll({ status: 503 });
    const queued = await rig.run(1);
    outbox.runChanged(queued);
    await outbox.stored();
    await until(async () => (await rowOf(rig, queued)).attempts === 1);
    const started = await rig.started(queued);
    outbox.runChanged(started);
    await outbox.stored();
    outbox.runChanged(await rig.ended(started, 'Succeeded'));
    await outbox.stored();
    rig.fake.failAll(undefined);
    await rig.clock.advance(60_000);
    await until(() => rig.told().length > 0);
    expect(rig.told()).toEqual(['success']);
    expect(rig.problems).toEqual([]);
  });

  it('is asked ever more rarely, and after a day no more', async () => {
    await using rig = await outboxRig();
    const outbox = rig.open();
    rig.fake.failAll({ status: 500, body: { message: 'broken' } });
    const run = await rig.run(1);
    outbox.runChanged(run);
    await outbox.stored();
    const waits: number[] = [];
    for (;;) {
      await until(async () => rig.problems.length > 0 || (await rowOf(rig, run)).attempts > waits.length);
      if (rig.problems.length > 0) break;
      const wait = Date.parse((await rowOf(rig, run)).nextAttempt) - rig.clock.now().getTime();
      waits.push(wait);
      expect(rig.fake.asked).toHaveLength(waits.length);
      await rig.clock.advance(wait + 1_000);
    }
    expect(waits[0]).toBeLessThan(10_000);
    expect(Math.max(...waits)).toBeGreaterThan(HOUR_MS / 2);
    expect(waits.length).toBeLessThan(50);
    const total = waits.reduce((sum, wait) => sum + wait, 0);
    expect([total > 12 * HOUR_MS, total <= 24 * HOUR_MS]).toEqual([true, true]);
    expect(rig.problems).toEqual([expect.stringMatching(/slipway\/shop of run .* given up.*broken/)]);
    const count = rig.fake.asked.length;
    await rig.clock.advance(2 * HOUR_MS);
    expect(rig.fake.asked.length).toBe(count);
  });

  it('is left alone as long as it asks for, but by who was told so only', async () => {
    await using rig = await outboxRig();
    const outbox = rig.open();
    rig.fake.fail({ status: 429, headers: { 'retry-after': '900' }, body: {} });
    const first = await rig.run(1);
    outbox.runChanged(first);
    await outbox.stored();
    await until(async () => (await rowOf(rig, first)).attempts === 1);
    const second = await rig.run(2);
    outbox.runChanged(second);
    await outbox.stored();
    await until(async () => (await rowOf(rig, second)).attempts === 1);
    outbox.runChanged(await rig.run(3, { task: 'other' }));
    await until(() => rig.told().length === 1);
    await rig.clock.advance(890_000);
    expect(rig.fake.asked).toHaveLength(2);
    await rig.clock.advance(400_000);
    await until(() => rig.told().length === 3);
  });

  it('that refuses the token is reported once, and tried again when somebody may have mended it', async () => {
    await using rig = await outboxRig();
    const outbox = rig.open();
    rig.fake.failAll({ status: 403, body: { message: 'token has no scope' } });
    const runs = [await rig.run(1), await rig.run(2)];
    for (const run of runs) outbox.runChanged(run);
    await outbox.stored();
    for (const run of runs) await until(async () => (await rowOf(rig, run)).attempts === 1);
    expect(rig.problems).toEqual([expect.stringContaining('token has no scope')]);
    rig.fake.failAll(undefined);
    await rig.clock.advance(60_000);
    expect(rig.fake.asked).toHaveLength(2);
    await rig.clock.advance(300_000);
    await until(() => rig.told().length === 2);
  });

  it('that refuses the status itself is not asked again', async () => {
    await using rig = await outboxRig();
    const run = await rig.run(1);
    rig.fake.failAll({ status: 422, body: { message: 'No commit found' } });
    rig.open().runChanged(run);
    await until(() => rig.problems.length === 1);
    await rig.clock.advance(24 * HOUR_MS);
    expect(rig.fake.asked).toHaveLength(1);
  });

  it('and hangs is asked four things at once, and holds up no other', async () => {
    await using rig = await outboxRig();
    await using well = await startForge(giteaApi(forgeState('token-of-the-trigger', [commitOf(50)])));
    const repository = (url: string) =>
      rig.trigger({ sourceRepository: { sourceControlType: 'Gitea', repositoryUrl: `${url}/acme/shop` } });
    const outbox = rig.open({ triggerOf: (_task, name) => Promise.resolve(repository(name === 'well' ? well.url : rig.fake.url)) });
    rig.fake.failAll('hang');
    for (let commit = 1; commit <= 20; commit += 1) outbox.runChanged(await rig.run(commit));
    await rig.fake.came(4);
    outbox.runChanged(await rig.run(50, { causes: [rig.cause(50, { trigger: 'well' })] }));
    await well.came(1);
    expect(rig.fake.asked).toHaveLength(4);
    await outbox.close();
    expect(rig.fake.asked).toHaveLength(4);
  });
});

it('a forge that hangs, with hundreds of statuses, holds up no other', async () => {
  await using rig = await outboxRig();
  await using well = await startForge(giteaApi(forgeState('token-of-the-trigger', [commitOf(500)])));
  const repository = (url: string) => rig.trigger({ sourceRepository: { sourceControlType: 'Gitea', repositoryUrl: `${url}/acme/shop` } });
  const outbox = rig.open({ triggerOf: (_task, name) => Promise.resolve(repository(name === 'well' ? well.url : rig.fake.url)) });
  rig.fake.failAll('hang');
  for (let commit = 1; commit <= 300; commit += 1) outbox.runChanged(await rig.run(commit));
  await rig.fake.came(4);
  await outbox.stored();
  outbox.runChanged(await rig.run(500, { causes: [rig.cause(500, { trigger: 'well' })] }));
  await well.came(1);
  expect(rig.fake.asked).toHaveLength(4);
  // What is not in its lane was not taken from the next process.
  expect((await rig.store.statuses.due({ limit: 1000, leaseMs: 0 })).length).toBeGreaterThan(250);
});

describe('what waits for its turn at a slow forge', () => {
  const turn = async (rig: OutboxRig) => {
    const outbox = rig.open();
    const slow = Promise.withResolvers<void>();
    rig.fake.fail(...Array.from({ length: 4 }, () => ({ after: slow.promise })));
    for (let commit = 1; commit <= 4; commit += 1) outbox.runChanged(await rig.run(commit));
    await rig.fake.came(4);
    const waiting = await rig.run(5);
    outbox.runChanged(waiting);
    await outbox.stored();
    await settled();
    return { outbox, slow, waiting };
  };
  const toldOf = (rig: OutboxRig, commit: number) =>
    rig.state.statuses.filter(({ place }) => place === commitOf(commit)).map(({ body }) => body['state']);

  it('is told as it is when its turn comes', async () => {
    await using rig = await outboxRig();
    const { outbox, slow, waiting } = await turn(rig);
    outbox.runChanged(await rig.ended(await rig.started(waiting), 'Succeeded'));
    await outbox.stored();
    slow.resolve();
    await until(async () => (await rowOf(rig, waiting)).delivered === 2);
    expect(toldOf(rig, 5)).toEqual(['success']);
  });

  it('is not told when a newer run has taken its place', async () => {
    await using rig = await outboxRig();
    const { outbox, slow, waiting } = await turn(rig);
    const newer = await rig.run(5, { causes: [{ kind: 'rerun', principal: 'me', run: waiting.id }, rig.cause(5)] });
    outbox.runChanged(await rig.ended(await rig.started(newer), 'Failed'));
    await outbox.stored();
    slow.resolve();
    await until(async () => (await rowOf(rig, newer)).delivered === 2);
    expect(toldOf(rig, 5)).toEqual(['failure']);
  });
});

describe('a process that ends', () => {
  it('leaves what is not told to the next', async () => {
    await using rig = await outboxRig();
    const first = rig.open();
    rig.fake.failAll('hang');
    const run = await rig.run(1);
    first.runChanged(run);
    await rig.fake.came(1);
    await first.close();
    first.runChanged(await rig.started(run));
    rig.fake.failAll(undefined);
    rig.open();
    await until(() => rig.told().length === 1);
  });

  it('and lost changes: the next finds them in the runs', async () => {
    await using rig = await outboxRig();
    const old = await rig.ended(await rig.started(await rig.run(1)), 'Failed');
    const waiting = await rig.run(4);
    await rig.clock.advance(25 * HOUR_MS);
    const lost = await rig.ended(await rig.started(await rig.run(2)), 'Succeeded');
    const outbox = rig.open();
    await outbox.reconcile();
    await until(() => rig.told().length === 2);
    await outbox.reconcile();
    expect(rig.state.statuses.map(({ place, body }) => [place, body['state']]).sort()).toEqual([
      [commitOf(2), 'success'],
      [commitOf(4), 'pending'],
    ]);
    expect(await rig.store.statuses.ofRun(old.id)).toEqual([]);
    expect((await rowOf(rig, lost)).version).toBe(1);
    expect((await rowOf(rig, waiting)).version).toBe(1);
  });
});

it('never throws at the caller when the store cannot write', async () => {
  await using rig = await outboxRig();
  const broken = () => Promise.reject(new Error('disk full'));
  const outbox = rig.open({ statuses: { ...rig.store.statuses, put: broken, due: broken } });
  outbox.runChanged(await rig.run(1));
  await outbox.stored();
  expect(rig.problems.join('\n')).toMatch(/could not be kept: disk full/);
});
