import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { laneOf } from '../../src/model/event-lane.ts';
import type { EventQuery } from '../../src/model/ports/event-store.ts';
import type { Happening, TriggerDecision, TriggerEvent } from '../../src/model/trigger-event.ts';
import type { StoreUnderTest } from './store.ts';
import { at, imageTag, newEvent, timerEvent } from './store-trigger-values.ts';

type NewDecision = Omit<TriggerDecision, 'event' | 'at'>;

const SKIPPED: NewDecision = { task: 'app', trigger: 'main', outcome: 'skipped', code: 'branch-filter', because: 'main is not followed' };

export function describeEvents(use: () => StoreUnderTest): void {
  describe('trigger events', () => {
    describeRecord(use);
    describeLife(use);
    describeEventLists(use);
    describePrune(use);
  });
}

function describeRecord(use: () => StoreUnderTest): void {
  it('are numbered, pending, and stored whole', async () => {
    const { events } = use().store;
    const first = newEvent('hook:h:1:0');
    expect(await events.record([first, newEvent('b', { replayOf: 'e1', origin: 'replay' })])).toEqual([
      { id: 'e1', fresh: true },
      { id: 'e2', fresh: true },
    ]);
    const stored = { id: 'e1', number: 1, ...first, receivedAt: at(), status: 'pending', attempts: 0 };
    expect(await events.get('e1')).toEqual(stored);
    expect(await events.get('e2')).toMatchObject({ origin: 'replay', replayOf: 'e1' });
    for (const id of ['e3', 'e0', 'e', '1', 'e01', 'e1 ', `e${'9'.repeat(30)}`, '']) expect(await events.get(id)).toBeUndefined();
    expect(await events.record([])).toEqual([]);
  });

  it('are recorded once, within one call, over calls, at once and over restarts', async () => {
    const { store, reopen } = use();
    expect(await store.events.record([newEvent('a'), newEvent('b'), newEvent('a')])).toEqual([
      { id: 'e1', fresh: true },
      { id: 'e2', fresh: true },
      { id: 'e1', fresh: false },
    ]);
    const many = await Promise.all(Array.from({ length: 30 }, () => store.events.record([newEvent('c')])));
    const told = many.flat();
    expect(told.filter(({ fresh }) => fresh)).toHaveLength(1);
    expect(new Set(told.map(({ id }) => id)).size).toBe(1);
    await store.events.settle([{ id: 'e1', decisions: [] }]);
    await reopen();
    const changed = newEvent('a', { origin: 'poll' });
    expect(await use().store.events.record([changed])).toEqual([{ id: 'e1', fresh: false }]);
    expect(await use().store.events.get('e1')).toMatchObject({ origin: 'webhook', status: 'settled' });
    expect(await use().store.events.counts()).toEqual({ pending: 2, settled: 1, failed: 0 });
  });

  it('any mix of deliveries, with any repeats, is stored once each in the order of the first', async () => {
    const { events } = use().store;
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 5 }), { maxLength: 20 }), async (calls) => {
        round += 1;
        const keyed = calls.map((call) => call.map((key) => `${round}:${key}`));
        const answers = await Promise.all(keyed.map((call) => events.record(call.map((key) => newEvent(key)))));
        const ids = new Map<string, string>();
        for (const [index, call] of keyed.entries()) {
          expect(answers[index]).toHaveLength(call.length);
          for (const [place, key] of call.entries()) {
            const answer = answers[index]?.[place];
            expect(answer).toEqual({ id: ids.get(key) ?? answer?.id, fresh: !ids.has(key) });
            ids.set(key, answer?.id ?? '');
          }
        }
        const order = [...ids.values()].map((id) => Number(id.slice(1)));
        expect(order).toEqual([...order].sort((left, right) => left - right));
      }),
      { numRuns: 40 },
    );
  });
}

function describeLife(use: () => StoreUnderTest): void {
  it('are pending, oldest first, until they are settled or given up', async () => {
    const { events } = use().store;
    await events.record(['a', 'b', 'c', 'd'].map((key) => newEvent(key)));
    expect((await events.pending(3)).map(({ id }) => id)).toEqual(['e1', 'e2', 'e3']);
    expect((await events.pending(3, 2)).map(({ id }) => id)).toEqual(['e3', 'e4']);
    await events.settle([
      { id: 'e1', decisions: [SKIPPED] },
      { id: 'e3', decisions: [] },
      { id: 'e99', decisions: [SKIPPED] },
    ]);
    await events.postpone('e4', { error: 'it ends the process' });
    expect((await events.pending(9)).map(({ id }) => id)).toEqual(['e2']);
    expect(await events.get('e1')).toMatchObject({ status: 'settled', settledAt: at() });
    expect(await events.get('e4')).toMatchObject({ status: 'failed', error: 'it ends the process' });
    expect(await events.counts()).toEqual({ pending: 1, settled: 2, failed: 1 });
  });

  it('are found by what waits for them: by kind, by lane, and by their time', async () => {
    const { store, clock } = use();
    const { events } = store;
    const image = (repository: string): Happening => ({ kind: 'image', image: imageTag(repository) });
    const happenings: readonly Happening[] = [
      image('a'),
      { kind: 'manual', task: 'app', by: 'ann' },
      image('b'),
      image('a'),
      { kind: 'run-ended', run: 'ra001', status: 'Failed' },
    ];
    await events.record(happenings.map((happening, index) => ({ dedupKey: String(index), origin: 'webhook', happening })));
    const ids = async (found: Promise<readonly TriggerEvent[]>): Promise<readonly string[]> => (await found).map(({ id }) => id);
    expect(await ids(events.waiting({ kind: 'far', after: 0, limit: 9 }))).toEqual(['e1', 'e3', 'e4']);
    expect(await ids(events.waiting({ kind: 'far', after: 1, limit: 1 }))).toEqual(['e3']);
    expect(await ids(events.waiting({ kind: 'manual', after: 0, limit: 9 }))).toEqual(['e2']);
    expect(await ids(events.waiting({ kind: 'run-ended', after: 0, limit: 9 }))).toEqual(['e5']);
    const lane = laneOf({ happening: image('a') });
    expect(await ids(events.waitingInLane({ lane, after: 0, limit: 9 }))).toEqual(['e1', 'e4']);
    expect(await ids(events.waitingInLane({ lane, after: 1, limit: 9 }))).toEqual(['e4']);
    for (const id of ['e1', 'e3', 'e5']) await events.postpone(id, { error: 'no network', retryAt: at(1000) });
    expect(await ids(events.waitingInLane({ lane, after: 0, limit: 9 }))).toEqual(['e4']);
    const retriable = { kind: 'far', exceptLanes: [], after: 0, limit: 9 } as const;
    expect(await ids(events.retriable(retriable))).toEqual([]);
    await clock.advance(1000);
    expect(await ids(events.retriable(retriable))).toEqual(['e1', 'e3']);
    expect(await ids(events.retriable({ ...retriable, exceptLanes: [lane] }))).toEqual(['e3']);
    expect(await ids(events.retriable({ ...retriable, after: 1 }))).toEqual(['e3']);
    expect(await ids(events.retriable({ ...retriable, kind: 'near' }))).toEqual(['e5']);
  });

  it('are due earlier by as much as the clock was set back', async () => {
    const { store } = use();
    await store.events.record([newEvent('a'), newEvent('b')]);
    await store.events.postpone('e1', { error: 'no network', retryAt: at(3_600_000) });
    await store.events.postpone('e2', { error: 'no network', retryAt: at(3_605_500) });
    await store.clockSetBack(3_600_250);
    expect((await store.events.pending(9)).map(({ id }) => id)).toEqual(['e1']);
    expect(await store.events.get('e2')).toMatchObject({ retryAt: at(5250) });
  });

  it('count the attempts that were begun, over restarts', async () => {
    const { store, reopen } = use();
    await store.events.record([newEvent('a'), newEvent('b')]);
    await store.events.begin(['e1', 'e2', 'e9', 'x']);
    await reopen();
    await use().store.events.begin(['e1']);
    expect((await use().store.events.pending(9)).map(({ attempts }) => attempts)).toEqual([2, 1]);
    await use().store.events.settle([{ id: 'e1', decisions: [] }]);
    await use().store.events.begin(['e1']);
    expect(await use().store.events.get('e1')).toMatchObject({ attempts: 2 });
  });

  it('that are postponed wait for their time; what passes by itself counts no attempt', async () => {
    const { store, clock } = use();
    const { events } = store;
    await events.record([newEvent('a'), newEvent('b')]);
    await events.begin(['e1', 'e2']);
    await events.postpone('e1', { error: 'no network', retryAt: at(1000) });
    expect((await events.pending(9)).map(({ id }) => id)).toEqual(['e2']);
    expect(await events.get('e1')).toMatchObject({ status: 'pending', retryAt: at(1000), error: 'no network', attempts: 1 });
    await events.postpone('e2', { error: 'the queue is full', retryAt: at(2000), passing: true });
    expect(await events.get('e2')).toMatchObject({ attempts: 0 });
    await clock.advance(1000);
    expect((await events.pending(9)).map(({ id }) => id)).toEqual(['e1']);
    await events.settle([{ id: 'e1', decisions: [] }]);
    const settled = await events.get('e1');
    expect(settled).not.toHaveProperty('error');
    expect(settled).not.toHaveProperty('retryAt');
  });

  it('are settled once, whole, with what follows from them, however often and by however many', async () => {
    const { events } = use().store;
    await events.record([newEvent('a')]);
    const settlement = (index: number) => {
      const then = [timerEvent('t', at()), newEvent(`of ${index}`)];
      return { id: 'e1', decisions: [{ ...SKIPPED, because: `evaluator ${index}` }, SKIPPED], then };
    };
    await Promise.all(Array.from({ length: 10 }, (_, index) => events.settle([settlement(index)])));
    await events.postpone('e1', { error: 'late' });
    expect(await events.decisions({ event: 'e1', limit: 99 })).toHaveLength(2);
    expect(await events.counts()).toEqual({ pending: 2, settled: 1, failed: 0 });
    expect(await events.get('e1')).toMatchObject({ status: 'settled' });
    await events.postpone('e2', { error: 'never' });
    await events.settle([settlement(0), { ...settlement(1), id: 'e2' }]);
    expect(await events.get('e2')).toMatchObject({ status: 'failed', error: 'never' });
    expect(await events.decisions({ limit: 99 })).toHaveLength(2);
  });
}

function describeEventLists(use: () => StoreUnderTest): void {
  it('are listed newest first by what is asked, page after page', async () => {
    const { store, clock } = use();
    const { events } = store;
    await events.record([newEvent('a'), newEvent('b', { origin: 'poll' })]);
    await clock.advance(1000);
    await events.record([timerEvent('t', at()), newEvent('c'), newEvent('d')]);
    await events.settle([
      { id: 'e1', decisions: [SKIPPED, { ...SKIPPED, trigger: 'other' }] },
      { id: 'e3', decisions: [{ ...SKIPPED, task: 'web' }] },
      { id: 'e4', decisions: [SKIPPED] },
    ]);
    const ids = async (query: Partial<EventQuery>): Promise<readonly string[]> =>
      (await events.list({ limit: 9, ...query })).map(({ id }) => id);
    expect(await ids({})).toEqual(['e5', 'e4', 'e3', 'e2', 'e1']);
    expect(await ids({ limit: 2 })).toEqual(['e5', 'e4']);
    expect(await ids({ before: 3 })).toEqual(['e2', 'e1']);
    expect(await ids({ origin: 'webhook' })).toEqual(['e5', 'e4', 'e1']);
    expect(await ids({ kind: 'timer' })).toEqual(['e3']);
    expect(await ids({ status: 'pending' })).toEqual(['e5', 'e2']);
    expect(await ids({ since: '2030-01-02T03:04:06Z' })).toEqual(['e5', 'e4', 'e3']);
    expect(await ids({ task: 'app' })).toEqual(['e4', 'e1']);
    expect(await ids({ task: 'app', limit: 1 })).toEqual(['e4']);
    expect(await ids({ task: 'app', before: 4 })).toEqual(['e1']);
    expect(await ids({ task: 'app', kind: 'push', status: 'settled', origin: 'webhook', since: at(500) })).toEqual(['e4']);
    expect(await ids({ task: 'nobody' })).toEqual([]);
    expect(await ids({ task: 'app', status: 'pending' })).toEqual([]);
    expect(await ids({ status: 'pending', kind: 'push', before: 5, limit: 1 })).toEqual(['e2']);
    expect(await events.decidedTasks()).toEqual(['app', 'web']);
    const [first] = await events.list({ limit: 1, before: 2 });
    expect(first).toEqual(await events.get('e1'));
  });

  it('decisions are listed newest first by event, task and run', async () => {
    const { store, clock } = use();
    const { events } = store;
    await events.record([newEvent('a'), newEvent('b')]);
    const fired: NewDecision = { task: 'web', trigger: 't', outcome: 'run', code: 'fired', because: 'a push', run: 'ra001' };
    await events.settle([{ id: 'e2', decisions: [fired, SKIPPED] }]);
    await clock.advance(1000);
    const nobody: NewDecision = { outcome: 'skipped', code: 'no-trigger', because: 'no task follows it' };
    await events.settle([{ id: 'e1', decisions: [SKIPPED, nobody] }]);
    expect(await events.decisions({ limit: 9 })).toEqual([
      { event: 'e1', at: at(1000), ...nobody },
      { event: 'e1', at: at(1000), ...SKIPPED },
      { event: 'e2', at: at(), ...SKIPPED },
      { event: 'e2', at: at(), ...fired },
    ]);
    expect(await events.decisions({ task: 'app', limit: 9 })).toMatchObject([{ event: 'e1' }, { event: 'e2' }]);
    expect(await events.decisions({ task: 'app', limit: 1 })).toMatchObject([{ event: 'e1' }]);
    expect(await events.decisions({ run: 'ra001', limit: 9 })).toMatchObject([{ task: 'web' }]);
    expect(await events.decisions({ event: 'e2', task: 'web', limit: 9 })).toHaveLength(1);
    expect(await events.decisions({ event: 'nonsense', limit: 9 })).toEqual([]);
  });
}

function describePrune(use: () => StoreUnderTest): void {
  it('that have ended are pruned with their decisions, oldest first; those that are pending stay', async () => {
    const { store, clock } = use();
    const { events } = store;
    await events.record(['a', 'b', 'c', 'd'].map((key) => newEvent(key)));
    await clock.advance(1000);
    await events.record([newEvent('e')]);
    await events.settle(['e1', 'e3', 'e5'].map((id) => ({ id, decisions: [SKIPPED] })));
    await events.postpone('e4', { error: 'no' });
    const before = '2030-01-02T03:04:06Z';
    expect(await events.prune({ before, limit: 2 })).toBe(2);
    expect((await events.list({ limit: 9 })).map(({ id }) => id)).toEqual(['e5', 'e4', 'e2']);
    expect(await events.prune({ before, limit: 9 })).toBe(1);
    expect(await events.prune({ before, limit: 9 })).toBe(0);
    expect((await events.decisions({ limit: 9 })).map(({ event }) => event)).toEqual(['e5']);
    expect(await events.counts()).toEqual({ pending: 1, settled: 1, failed: 0 });
    expect(await events.record([newEvent('a'), newEvent('b')])).toEqual([
      { id: 'e6', fresh: true },
      { id: 'e2', fresh: false },
    ]);
  });
}
