import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunOutcome, Store } from '../../src/model/ports/store.ts';
import type { RunStatus } from '../../src/model/run-event.ts';
import { type RunRecord, TERMINAL_STATUSES } from '../../src/model/run-record.ts';
import type { StoreUnderTest } from './store.ts';
import { notes, outcome, runRequest, stepRecord } from './store-values.ts';

const IMAGE = { step: 'push', reference: 'registry.example/app:1', digest: `sha256:${'a'.repeat(64)}` };
const isTerminal = (status: RunStatus | undefined): boolean => TERMINAL_STATUSES.some((terminal) => terminal === status);

export function describeRuns(use: () => StoreUnderTest): void {
  describe('runs', () => {
    describeLife(use);
    describeFence(use);
    describeRaces(use);
    describeEnds(use);
  });
}

async function claimed(store: Store): Promise<RunRecord> {
  const { id } = await store.runs.create({ request: runRequest({ task: 'app' }) });
  const run = await store.runs.claim(id, { agent: 'one', from: 0 });
  if (run === undefined) throw new Error('a queued run could not be claimed');
  return run;
}

function describeLife(use: () => StoreUnderTest): void {
  it('are numbered from 1 and stored whole', async () => {
    const { runs } = use().store;
    const request = runRequest({ task: 'app', variables: { Branch: 'main', Commit: 'ABCDEF12' } });
    const first = await runs.create({ request, sealed: Buffer.from('sealed') });
    const second = await runs.create({ request: runRequest() });
    expect([first.id, first.number, second.id, second.number]).toEqual(['ra001', 1, 'ra002', 2]);
    expect(first).toMatchObject({ request, status: 'Queued', attempt: 0, crashes: 0, lastEvent: 0, archived: false, steps: [] });
    expect(await runs.get('ra001')).toEqual(first);
    expect(Buffer.from((await runs.sealed('ra001')) ?? []).toString()).toBe('sealed');
    expect(await runs.sealed('ra002')).toBeUndefined();
    for (const id of ['ra003', 'x', '', 'rb001', 'ra00', '../../etc']) expect(await runs.get(id)).toBeUndefined();
    expect(await runs.last()).toEqual(second);
    expect(await runs.last('app')).toEqual(first);
    expect(await runs.last('nobody')).toBeUndefined();
  });

  it('are made once for a key, also by several that ask at once', async () => {
    const { runs } = use().store;
    const request = runRequest({ task: 'app' });
    const made = await Promise.all(Array.from({ length: 5 }, () => runs.create({ request, sealed: Buffer.from('sealed') }, 'ann 1')));
    expect(new Set(made.map(({ id }) => id))).toEqual(new Set(['ra001']));
    expect((await runs.create({ request }, 'bob 1')).id).toBe('ra002');
    await runs.claim('ra001', { agent: 'one', from: 0 });
    expect(await runs.create({ request }, 'ann 1')).toMatchObject({ id: 'ra001', status: 'Started' });
    expect([(await runs.byKey('ann 1'))?.id, await runs.byKey('ann 2')]).toEqual(['ra001', undefined]);
  });

  it('are made anew for a key of the day before', async () => {
    const { store, clock } = use();
    const { runs } = store;
    const create = async (): Promise<string> => (await runs.create({ request: runRequest({ task: 'app' }) }, 'ann 1')).id;
    expect(await create()).toBe('ra001');
    await clock.advance(24 * 3_600_000 - 1);
    expect(await create()).toBe('ra001');
    await clock.advance(1);
    expect(await runs.byKey('ann 1')).toBeUndefined();
    expect(await create()).toBe('ra002');
    expect([await create(), (await runs.byKey('ann 1'))?.id]).toEqual(['ra002', 'ra002']);
  });

  it('go from Queued over Started and Running to an end, and say when', async () => {
    const { store, clock } = use();
    const { runs } = store;
    const { id, createTime } = await runs.create({ request: runRequest({ task: 'app' }) });
    await clock.advance(1000);
    const started = await runs.claim(id, { agent: 'one', from: 0 });
    expect(started).toMatchObject({ status: 'Started', attempt: 1, agent: 'one', createTime, startTime: '2030-01-02T03:04:06.000Z' });
    const source = { commit: 'ABC1234', branch: 'main', repository: 'https://git.example/app.git' };
    const steps = [stepRecord('build', 'running')];
    expect(await runs.append(id, 1, notes(id, 1, 2), { steps, status: 'Running', source, images: [IMAGE] })).toBe('done');
    expect(await runs.get(id)).toMatchObject({ status: 'Running', steps, source, images: [IMAGE], lastEvent: 2 });
    await clock.advance(1000);
    const done = outcome('Failed', {
      steps: [stepRecord('build', 'failed')],
      error: { step: 'build', message: 'no', errorCode: 'bad-task' },
    });
    expect(await runs.finish(id, 1, done)).toBe('done');
    const { status, ...parts } = done;
    const finishTime = '2030-01-02T03:04:07.000Z';
    expect(await runs.get(id)).toEqual({ ...started, ...parts, status, source, finishTime, lastUpdatedTime: finishTime, lastEvent: 2 });
  });

  it('live runs are all that have not ended, oldest first, as they are now', async () => {
    const { runs } = use().store;
    for (let count = 0; count < 6; count += 1) await runs.create({ request: runRequest() });
    const live = async (): Promise<unknown> => (await runs.live()).map(({ number, status, attempt }) => [number, status, attempt]);
    expect(await live()).toHaveLength(6);
    await runs.claim('ra003', { agent: 'one', from: 0 });
    await runs.append('ra003', 1, [], { steps: [], status: 'Running' });
    await runs.claim('ra002', { agent: 'one', from: 0 });
    await runs.release('ra002', 1);
    await runs.finish('ra004', undefined, outcome('Timeout'));
    await runs.requestCancel('ra001', { by: 'me', reason: 'why not' });
    await runs.create({ request: runRequest() });
    const expected = [
      [2, 'Queued', 1],
      [3, 'Running', 1],
      [5, 'Queued', 0],
      [6, 'Queued', 0],
      [7, 'Queued', 0],
    ];
    expect(await live()).toEqual(expected);
    expect(await Promise.all((await runs.live()).map(({ id }) => runs.get(id)))).toEqual(await runs.live());
  });

  it('events are kept in order without gap; those told again are left out', async () => {
    const { store } = use();
    const { id } = await claimed(store);
    await store.runs.append(id, 1, notes(id, 1, 3), { steps: [] });
    expect(await store.runs.append(id, 1, notes(id, 2, 5), { steps: [] })).toBe('done');
    await expect(store.runs.append(id, 1, notes(id, 7, 7), { steps: [] })).rejects.toThrow(/event 7 .* where 6 was due/);
    const output = {
      version: 1,
      seq: 6,
      at: '',
      run: id,
      type: 'step-output',
      step: 'a',
      attempt: 1,
      stream: 'stdout',
      text: 'x',
    } as const;
    await expect(store.runs.append(id, 1, [output], { steps: [] })).rejects.toThrow(/output of a step/);
    expect(await store.runs.events(id, { after: 0, limit: 100 })).toEqual(notes(id, 1, 5));
    expect(await store.runs.events(id, { after: 2, limit: 2 })).toEqual(notes(id, 3, 4));
    expect(await store.runs.events('nobody', { after: 0, limit: 2 })).toEqual([]);
    expect(await store.runs.get(id)).toMatchObject({ lastEvent: 5 });
  });

  it('appends of one turn that fail do not take the others with them', async () => {
    const { store } = use();
    const one = await claimed(store);
    const two = await claimed(store);
    const told = await Promise.allSettled([
      store.runs.append(one.id, 1, notes(one.id, 1, 1), { steps: [] }),
      store.runs.append(two.id, 1, notes(two.id, 5, 5), { steps: [stepRecord('lost', 'running')] }),
      store.runs.append(one.id, 1, notes(one.id, 2, 2), { steps: [] }),
      store.runs.append(two.id, 1, notes(two.id, 1, 1), { steps: [] }),
    ]);
    expect(told.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(await store.runs.get(one.id)).toMatchObject({ lastEvent: 2 });
    expect(await store.runs.get(two.id)).toMatchObject({ lastEvent: 1, steps: [] });
  });
}

function describeFence(use: () => StoreUnderTest): void {
  it('a claim takes the run at the attempt that it names, once', async () => {
    const { runs } = use().store;
    const { id } = await runs.create({ request: runRequest() });
    expect(await runs.claim(id, { agent: 'one', from: 1 })).toBeUndefined();
    const asked = await Promise.all(Array.from({ length: 40 }, (_, index) => runs.claim(id, { agent: `agent ${index}`, from: 0 })));
    const won = asked.filter((run) => run !== undefined);
    expect(won).toHaveLength(1);
    expect(await runs.get(id)).toEqual(won[0]);
    expect(await runs.claim(id, { agent: 'late', from: 0 })).toBeUndefined();
    expect(await runs.claim('nobody', { agent: 'late', from: 0 })).toBeUndefined();
  });

  it('a lost run is claimed again with a higher attempt and goes on as it was', async () => {
    const { store } = use();
    const { runs } = store;
    const { id, startTime } = await claimed(store);
    await runs.append(id, 1, notes(id, 1, 1), { steps: [stepRecord('a', 'running')], status: 'Running' });
    await runs.checkpoint(id, 1, { plan: Buffer.from('plan') });
    const again = await runs.claim(id, { agent: 'two', from: 1, crashed: true });
    expect(again).toMatchObject({ status: 'Running', attempt: 2, agent: 'two', crashes: 1, startTime, lastEvent: 1 });
    expect(await runs.claim(id, { agent: 'two', from: 2 })).toMatchObject({ attempt: 3, crashes: 1 });
    expect(Buffer.from((await runs.checkpointOf(id))?.plan ?? []).toString()).toBe('plan');
  });

  it('an older attempt changes nothing', async () => {
    const { store } = use();
    const { runs } = store;
    const { id } = await claimed(store);
    const now = await runs.claim(id, { agent: 'two', from: 1 });
    expect(await writesOf(store, id, 1)).toEqual(['stale', 'stale', 'stale', 'stale']);
    expect(await writesOf(store, id, 3)).toEqual(['stale', 'stale', 'stale', 'stale']);
    expect(await runs.get(id)).toEqual(now);
    expect(await runs.events(id, { after: 0, limit: 9 })).toEqual([]);
    expect(await runs.checkpointOf(id)).toBeUndefined();
  });

  it('a released run waits again, and its old attempt is over', async () => {
    const { store } = use();
    const { runs } = store;
    const { id } = await claimed(store);
    await runs.append(id, 1, [], { steps: [stepRecord('a', 'pending')], status: 'Running' });
    expect(await runs.release(id, 1)).toBe('done');
    const queued = await runs.get(id);
    expect(queued).toMatchObject({ status: 'Queued', attempt: 1 });
    expect(queued).not.toHaveProperty('agent');
    expect(queued).not.toHaveProperty('startTime');
    expect(await progressOf(store, id, 1)).toEqual(['stale', 'stale', 'stale']);
    expect(await runs.claim(id, { agent: 'two', from: 0 })).toBeUndefined();
    expect(await runs.claim(id, { agent: 'two', from: 1 })).toMatchObject({ status: 'Started', attempt: 2 });
  });

  it('the daemon ends a queued run only at the attempt that it saw', async () => {
    const { store } = use();
    const { runs } = store;
    const { id } = await claimed(store);
    await runs.release(id, 1);
    expect(await runs.finish(id, 0, outcome('Timeout'))).toBe('stale');
    expect(await runs.finish(id, 1, outcome('Timeout'))).toBe('done');
    expect(await runs.get(id)).toMatchObject({ status: 'Timeout', attempt: 1 });
  });

  it('a run that has started a step is not released', async () => {
    const { store } = use();
    const { id } = await claimed(store);
    await store.runs.append(id, 1, [], { steps: [stepRecord('a', 'running')], status: 'Running' });
    expect(await store.runs.release(id, 1)).toBe('stale');
    expect(await store.runs.get(id)).toMatchObject({ status: 'Running', agent: 'one' });
  });
}

/** Every write of an agent but the last, with what it answers. */
function progressOf({ runs }: Store, id: string, attempt: number): Promise<readonly string[]> {
  return Promise.all([
    runs.append(id, attempt, notes(id, 1, 1), { steps: [stepRecord('stale', 'running')], images: [IMAGE], source: { branch: 'stale' } }),
    runs.checkpoint(id, attempt, { plan: Buffer.from('stale') }),
    runs.release(id, attempt),
  ]);
}

async function writesOf(store: Store, id: string, attempt: number): Promise<readonly string[]> {
  const end = store.runs.finish(id, attempt, outcome('Succeeded', { images: [IMAGE] }));
  return [...(await progressOf(store, id, attempt)), await end];
}

function describeRaces(use: () => StoreUnderTest): void {
  it('every mix of claims, releases, cancels and ends leads to one end', async () => {
    const { store } = use();
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 1, maxLength: 40 }), async (moves) => {
        const { id } = await store.runs.create({ request: runRequest() });
        // All at once, so that they share transactions in whatever way the store makes them.
        const answers = await Promise.all(moves.map((each) => play(store, id, each)));
        const ends = answers.filter((answer) => answer !== undefined);
        const run = await store.runs.get(id);
        expect(ends.length).toBe(isTerminal(run?.status) ? 1 : 0);
        if (ends.length === 0) return;
        expect(run?.status).toBe(ends[0]);
        expect(run?.finishTime).toBeDefined();
        expect(await writesOf(store, id, run?.attempt ?? 0)).toEqual(['stale', 'stale', 'stale', 'stale']);
        expect(await store.runs.finish(id, undefined, outcome('Error'))).toBe('stale');
        expect(await store.runs.claim(id, { agent: 'late', from: run?.attempt ?? 0 })).toBeUndefined();
        expect(await store.runs.requestCancel(id, { by: 'late', reason: 'late' })).toBe('terminal');
        expect(await store.runs.get(id)).toEqual(run);
      }),
      { numRuns: 60 },
    );
  });
}

type Move =
  | { readonly kind: 'claim'; readonly from: number }
  | { readonly kind: 'release' | 'progress'; readonly attempt: number }
  | { readonly kind: 'finish'; readonly attempt: number | undefined; readonly status: RunOutcome['status'] }
  | { readonly kind: 'cancel' };

const attempts = fc.integer({ min: 1, max: 4 });
const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ kind: fc.constant('claim' as const), from: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ kind: fc.constantFrom('release' as const, 'progress' as const), attempt: attempts }),
  fc.record({
    kind: fc.constant('finish' as const),
    attempt: fc.option(attempts, { nil: undefined }),
    status: fc.constantFrom(...TERMINAL_STATUSES),
  }),
  fc.record({ kind: fc.constant('cancel' as const) }),
);

/** The status in which the run ended when it was this move that ended it. */
async function play({ runs }: Store, id: string, each: Move): Promise<RunStatus | undefined> {
  switch (each.kind) {
    case 'claim':
      await runs.claim(id, { agent: 'one', from: each.from });
      return undefined;
    case 'release':
      await runs.release(id, each.attempt);
      return undefined;
    case 'progress':
      await runs.append(id, each.attempt, [], { steps: [], status: 'Running' });
      return undefined;
    case 'finish':
      return (await runs.finish(id, each.attempt, outcome(each.status))) === 'done' ? each.status : undefined;
    case 'cancel':
      return (await runs.requestCancel(id, { by: 'me', reason: 'race' })) === 'ended' ? 'Canceled' : undefined;
  }
}

function describeEnds(use: () => StoreUnderTest): void {
  it('a cancel ends a queued run, asks for the end of a claimed one, and the first reason stays', async () => {
    const { store } = use();
    const { runs } = store;
    const { id } = await runs.create({ request: runRequest() });
    expect(await runs.requestCancel(id, { by: 'me', reason: 'first' })).toBe('ended');
    const cancel = { at: '2030-01-02T03:04:05.000Z', by: 'me', reason: 'first' };
    expect(await runs.get(id)).toMatchObject({ status: 'Canceled', finishTime: cancel.at, cancel, error: { message: 'first' } });
    expect(await runs.requestCancel(id, { by: 'you', reason: 'second' })).toBe('terminal');
    const active = await claimed(store);
    expect(await runs.requestCancel(active.id, { by: 'me', reason: 'first' })).toBe('asked');
    expect(await runs.requestCancel(active.id, { by: 'you', reason: 'second' })).toBe('asked');
    expect(await runs.get(active.id)).toMatchObject({ status: 'Started', cancel });
    expect(await runs.requestCancel('nobody', { by: 'me', reason: 'none' })).toBe('missing');
  });

  it('the checkpoint lasts until the end', async () => {
    const { store } = use();
    const { id } = await claimed(store);
    await store.runs.checkpoint(id, 1, { plan: Buffer.from('first') });
    await store.runs.checkpoint(id, 1, { plan: Buffer.from('second') });
    expect(Buffer.from((await store.runs.checkpointOf(id))?.plan ?? []).toString()).toBe('second');
    await store.runs.finish(id, 1, outcome('Succeeded'));
    expect(await store.runs.checkpointOf(id)).toBeUndefined();
  });

  it('only ended runs are deleted, with all that belongs to them; numbers are not used again', async () => {
    const { store } = use();
    const { runs } = store;
    const { id } = await claimed(store);
    await runs.append(id, 1, notes(id, 1, 2), { steps: [], images: [IMAGE] });
    await runs.delete(id);
    expect(await runs.get(id)).toBeDefined();
    await runs.finish(id, 1, outcome('Succeeded', { images: [IMAGE] }));
    await runs.delete(id);
    await runs.delete(id);
    expect(await runs.get(id)).toBeUndefined();
    expect(await runs.events(id, { after: 0, limit: 9 })).toEqual([]);
    expect(await runs.list({ image: 'app', limit: 9 })).toEqual([]);
    expect((await runs.create({ request: runRequest() })).number).toBe(2);
  });

  it('expired runs are ended, not archived, and old or beyond the newest to keep', async () => {
    const { store, clock } = use();
    const { runs } = store;
    for (let count = 0; count < 5; count += 1) {
      const { id } = await runs.create({ request: runRequest() });
      if (count !== 3) await runs.finish(id, undefined, outcome('Succeeded'));
      await clock.advance(1000);
    }
    expect(await runs.setArchived('ra001', true)).toBe('done');
    expect(await runs.setArchived('nobody', true)).toBe('missing');
    const before = '2030-01-02T03:04:07.000Z';
    expect(await runs.expired({ before, limit: 9 })).toEqual(['ra002']);
    expect(await runs.expired({ before: '2040-01-01T00:00:00.000Z', limit: 9 })).toEqual(['ra002', 'ra003', 'ra005']);
    expect(await runs.expired({ before: '2040-01-01T00:00:00.000Z', limit: 2 })).toEqual(['ra002', 'ra003']);
    expect(await runs.expired({ before, keep: 1, limit: 9 })).toEqual(['ra002', 'ra003']);
    expect(await runs.expired({ before, keep: 9, limit: 9 })).toEqual(['ra002']);
    await runs.setArchived('ra001', false);
    expect(await runs.expired({ before, limit: 9 })).toEqual(['ra001', 'ra002']);
  });

  it('counts name every status', async () => {
    const { store } = use();
    await claimed(store);
    await store.runs.create({ request: runRequest() });
    await store.runs.finish('ra001', 1, outcome('Error'));
    for (let count = 0; count < 2; count += 1) await store.runs.create({ request: runRequest() });
    await store.runs.requestCancel('ra003', { by: 'me', reason: 'none' });
    await store.runs.delete('ra003');
    const none = { Started: 0, Running: 0, Succeeded: 0, Failed: 0, Canceled: 0, Timeout: 0 };
    expect(await store.runs.counts()).toEqual({ ...none, Queued: 2, Error: 1 });
  });
}
