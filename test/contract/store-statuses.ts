import { describe, expect, it } from 'vitest';
import type { CommitStatus } from '../../src/model/ports/status-store.ts';
import type { StoreUnderTest } from './store.ts';
import { at } from './store-trigger-values.ts';

function status(state: CommitStatus['state'], parts: Partial<CommitStatus> = {}): CommitStatus {
  const { run = 'ra002' } = parts;
  return {
    ...{
      key: 'abc slipway/app',
      forge: 'Gitea',
      repositoryUrl: 'https://git.example/app.git',
      commit: 'a'.repeat(40),
      context: 'slipway/app',
    },
    ...{ state, description: state, targetUrl: `https://slipway.example/runs/${run}`, task: 'app', trigger: 'main', run },
    ...parts,
  };
}

export function describeStatuses(use: () => StoreUnderTest): void {
  describe('commit statuses', () => {
    describeNewest(use);
    describeDelivery(use);
  });
}

function describeNewest(use: () => StoreUnderTest): void {
  it('have one row for each key: the newest state wins, of the newest run', async () => {
    const { statuses } = use().store;
    const states = async (): Promise<unknown> =>
      (await statuses.due({ limit: 9, leaseMs: 0 })).map(({ run, state, version }) => [run, state, version]);
    await statuses.put(status('queued', { branch: 'main' }));
    expect(await statuses.due({ limit: 9, leaseMs: 0 })).toEqual([
      { ...status('queued', { branch: 'main' }), version: 1, delivered: 0, attempts: 0, nextAttempt: at() },
    ]);
    await statuses.put(status('queued'));
    await statuses.put(status('running', { run: 'ra001' }));
    expect(await states()).toEqual([['ra002', 'queued', 1]]);
    await statuses.put(status('running'));
    await statuses.put(status('failed'));
    await statuses.put(status('running'));
    expect(await states()).toEqual([['ra002', 'failed', 3]]);
    await statuses.put(status('failed', { run: 'ra003' }));
    await statuses.put(status('queued', { run: 'rb0000', key: 'other' }));
    expect((await statuses.ofRun('ra003')).map(({ key, version }) => [key, version])).toEqual([['abc slipway/app', 4]]);
    expect(await statuses.ofRun('ra002')).toEqual([]);
    expect(await statuses.due({ limit: 9, leaseMs: 0 })).toHaveLength(2);
  });
}

function describeDelivery(use: () => StoreUnderTest): void {
  it('are leased to one, and delivered at the version that was sent', async () => {
    const { store, clock, reopen } = use();
    await store.statuses.put(status('queued'));
    const asked = await Promise.all(Array.from({ length: 4 }, () => store.statuses.due({ limit: 9, leaseMs: 30_000 })));
    expect(asked.flat()).toHaveLength(1);
    await store.statuses.put(status('running'));
    expect(await store.statuses.due({ limit: 9, leaseMs: 30_000 })).toEqual([]);
    await store.statuses.delivered('abc slipway/app', 1);
    expect(await store.statuses.due({ limit: 9, leaseMs: 30_000 })).toMatchObject([{ state: 'running', version: 2, delivered: 1 }]);
    await reopen();
    const { statuses } = use().store;
    await clock.advance(30_000);
    expect(await statuses.due({ limit: 9, leaseMs: 30_000 })).toMatchObject([{ version: 2 }]);
    await statuses.delivered('abc slipway/app', 2);
    await statuses.delivered('nobody', 1);
    await clock.advance(30_000);
    expect(await statuses.due({ limit: 9, leaseMs: 30_000 })).toEqual([]);
    expect(await statuses.ofRun('ra002')).toMatchObject([{ delivered: 2, version: 2 }]);
  });

  it('that failed wait for their time, are counted, or given up until the state changes', async () => {
    const { store, clock } = use();
    const { statuses } = store;
    await statuses.put(status('queued'));
    await statuses.due({ limit: 9, leaseMs: 30_000 });
    await statuses.failed('abc slipway/app', 1, { error: 'no route', nextAttempt: at(1000) });
    expect(await statuses.due({ limit: 9, leaseMs: 30_000 })).toEqual([]);
    await clock.advance(1000);
    expect(await statuses.due({ limit: 9, leaseMs: 30_000 })).toMatchObject([{ attempts: 1, error: 'no route' }]);
    await statuses.failed('abc slipway/app', 1, { error: 'not allowed' });
    await clock.advance(60_000);
    expect(await statuses.due({ limit: 9, leaseMs: 30_000 })).toEqual([]);
    expect(await statuses.ofRun('ra002')).toMatchObject([{ attempts: 2, error: 'not allowed', delivered: 0 }]);
    await statuses.put(status('succeeded'));
    const [again] = await statuses.due({ limit: 9, leaseMs: 30_000 });
    expect(again).toMatchObject({ state: 'succeeded', version: 2, attempts: 0 });
    expect(again).not.toHaveProperty('error');
  });

  it('a failure of an older version does not give up the newer one', async () => {
    const { statuses } = use().store;
    await statuses.put(status('queued'));
    await statuses.due({ limit: 9, leaseMs: 30_000 });
    await statuses.put(status('running'));
    await statuses.failed('abc slipway/app', 1, { error: 'not allowed' });
    expect(await statuses.due({ limit: 9, leaseMs: 0 })).toMatchObject([{ version: 2, attempts: 0 }]);
  });

  it('are pruned when they are delivered or given up, and old', async () => {
    const { store, clock } = use();
    const { statuses } = store;
    for (const key of ['a', 'b', 'c']) await statuses.put(status('failed', { key }));
    await statuses.delivered('a', 1);
    await statuses.failed('b', 1, { error: 'no' });
    expect(await statuses.prune(at())).toBe(0);
    await clock.advance(1000);
    await statuses.put(status('failed', { key: 'd' }));
    await statuses.delivered('d', 1);
    expect(await statuses.prune('2030-01-02T03:04:06Z')).toBe(2);
    expect((await statuses.ofRun('ra002')).map(({ key }) => key)).toEqual(['c', 'd']);
  });
}
