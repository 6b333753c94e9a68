import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FiringPlace, Store } from '../../src/model/ports/store.ts';
import type { RunHold } from '../../src/model/run-hold.ts';
import type { Cause, RunRecord } from '../../src/model/run-record.ts';
import type { StoreUnderTest } from './store.ts';
import { at, digestOf, firingOf, newEvent, newTask, timerEvent } from './store-trigger-values.ts';
import { outcome, runRequest } from './store-values.ts';

const DAY_MS = 86_400_000;
const OTHERS = ['refs/heads/main 1', '127.0.0.1:5000/base sha256:1', '2030-01-02'] as const;
const WAITS: RunHold = { because: 'waits for further base images', until: at(30_000) };
const APPROVAL: RunHold = { because: 'waits for approval', approval: { commit: 'abcdef12' } };
const update = (letter: string): Cause => ({
  kind: 'image-update',
  trigger: 'base',
  images: [{ registry: 'docker.io', repository: 'library/node', tag: '20', digest: digestOf(letter) }],
});

export function describeFirings(use: () => StoreUnderTest): void {
  describe('runs that triggers make', () => {
    describeFire(use);
    describeManual(use);
    describeJoin(use);
    describeJoinRaces(use);
  });
  describe('held runs', () => {
    describeHold(use);
    describeApproval(use);
  });
}

const order = (hold?: RunHold) => ({
  request: runRequest({ task: 'app', causes: [update('a')] }),
  ...(hold === undefined ? {} : { hold }),
});

async function fired(store: Store, taskId: string, hold?: RunHold, ...keys: readonly string[]): Promise<RunRecord> {
  const made = await store.runs.fire(order(hold), { taskId, trigger: 'base', keys, event: 'e1' });
  if (made?.created !== true) throw new Error('a run was not made');
  return made.run;
}

function describeFire(use: () => StoreUnderTest): void {
  it('are made once for a key, also by many that fire at once and after a restart', async () => {
    const { store, reopen } = use();
    const task = await newTask(store);
    const firing = firingOf(task, 'refs/heads/main 1');
    const answers = await Promise.all(Array.from({ length: 30 }, () => store.runs.fire(order(), firing)));
    expect(answers.filter((answer) => answer?.created === true)).toHaveLength(1);
    expect(answers.filter((answer) => answer?.created === false && answer.run === 'ra001')).toHaveLength(29);
    expect(await store.runs.live()).toHaveLength(1);
    await store.runs.finish('ra001', undefined, outcome('Failed'));
    await store.runs.delete('ra001');
    await reopen();
    expect(await use().store.runs.fire(order(), firing)).toEqual({ created: false, run: 'ra001' });
  });

  it('leave firings that go when nothing can use them again: passed occurrences and ends of deleted runs', async () => {
    const { store, clock } = use();
    const task = await newTask(store);
    const day = (number: number): string => at(number * DAY_MS);
    const timer = { name: 'nightly', schedule: '0 3 * * *', next: day(0) };
    await store.timers.sync({ id: task.id, name: 'app' }, [timer]);
    for (let number = 0; number < 5; number += 1) {
      const events = [timerEvent(task.id, day(number))];
      await store.timers.fire([{ taskId: task.id, name: 'nightly', from: day(number), next: day(number + 1), events }]);
    }
    const use1 = (trigger: string, key: string, event: string) =>
      store.runs.fire({ request: runRequest({ task: 'app' }) }, { taskId: task.id, trigger, keys: [key], event });
    for (let number = 0; number < 5; number += 1) await use1('nightly', day(number), `e${number + 1}`);
    await store.events.record([newEvent('push'), newEvent('end')]);
    // A timer and other triggers may have one name, and a key of a commit may look like anything.
    for (const key of OTHERS) await use1('nightly', key, 'e6');
    const ended = await use1('after', 'ra001', 'e7');
    await use1('after', 'ra002', 'e7');
    expect(ended?.created).toBe(true);
    await store.runs.finish('ra001', undefined, outcome('Succeeded'));
    await store.runs.delete('ra001');
    const kept = async (): Promise<readonly string[]> => {
      const timers = await store.runs.fired(task.id, 'nightly', [...Array.from({ length: 5 }, (_, number) => day(number)), ...OTHERS]);
      return [...timers.keys(), ...(await store.runs.fired(task.id, 'after', ['ra001', 'ra002'])).keys()];
    };
    const all = [...Array.from({ length: 5 }, (_, number) => day(number)), ...OTHERS, 'ra001', 'ra002'];
    const prune = async (): Promise<void> => {
      for (let after: FiringPlace | undefined, more = true; more; more = after !== undefined) {
        after = (await store.runs.pruneFirings({ before: clock.now().toISOString(), after, limit: 2 })).next;
      }
    };
    await clock.advance(400 * DAY_MS);
    // Their events are there, and may be decided on again.
    await prune();
    expect(await kept()).toEqual(all);
    await store.events.settle(Array.from({ length: 7 }, (_, number) => ({ id: `e${number + 1}`, decisions: [] })));
    await store.events.record([{ ...timerEvent(task.id, day(1)), dedupKey: 'again', origin: 'replay', replayOf: 'e2' }]);
    await store.events.prune({ before: clock.now().toISOString(), limit: 100 });
    await prune();
    expect(await kept()).toEqual([day(1), day(4), ...OTHERS, 'ra002']);
  });

  it('are stored as the others, with a sealed part and a hold', async () => {
    const { store } = use();
    const task = await newTask(store);
    const made = await store.runs.fire({ ...order(WAITS), sealed: Buffer.from('sealed') }, firingOf(task, 'a'));
    expect(made).toMatchObject({ created: true, run: { id: 'ra001', status: 'Queued', hold: WAITS } });
    expect(made?.created === true ? made.run : undefined).toEqual(await store.runs.get('ra001'));
    expect(Buffer.from((await store.runs.sealed('ra001')) ?? []).toString()).toBe('sealed');
  });

  it('use up all keys of a firing that are left', async () => {
    const { runs } = use().store;
    const task = await newTask(use().store);
    await runs.fire(order(), firingOf(task, 'a'));
    expect(await runs.fire(order(), firingOf(task, 'b', 'a', 'c', 'b'))).toMatchObject({ created: true, run: { id: 'ra002' } });
    expect(await runs.fire(order(), firingOf(task, 'c', 'a'))).toEqual({ created: false, run: 'ra002' });
    expect(await runs.fire(order(), firingOf(task, 'a', 'c'))).toEqual({ created: false, run: 'ra001' });
    const used = new Map([
      ['c', 'ra002'],
      ['a', 'ra001'],
    ]);
    expect(await runs.fired(task.id, 'main', ['c', 'x', 'a'])).toEqual(used);
    expect(await runs.fired(task.id, 'other', ['a'])).toEqual(new Map());
    expect(await runs.fired(task.id, 'main', [])).toEqual(new Map());
    await expect(runs.fire(order(), firingOf(task))).rejects.toThrow(/no key/);
  });

  it('are made for each trigger and each task on its own', async () => {
    const { store } = use();
    const [app, web] = [await newTask(store), await newTask(store, 'web')];
    const answers = [
      await store.runs.fire(order(), firingOf(app, 'a')),
      await store.runs.fire(order(), firingOf(web, 'a')),
      await store.runs.fire(order(), { ...firingOf(app, 'a'), trigger: 'other' }),
    ];
    expect(answers).toMatchObject([{ created: true }, { created: true }, { created: true }]);
  });

  it('are not made for a task that is gone; one made anew fires anew', async () => {
    const { store } = use();
    const task = await newTask(store);
    await store.runs.fire(order(), firingOf(task, 'a'));
    await store.tasks.delete('app', {});
    expect(await store.runs.fire(order(), firingOf(task, 'b'))).toBeUndefined();
    const again = await newTask(store);
    expect(await store.runs.fire(order(), firingOf(task, 'a'))).toBeUndefined();
    expect(await store.runs.fire(order(), firingOf(again, 'a'))).toMatchObject({ created: true, run: { id: 'ra002' } });
    expect(await store.runs.live()).toHaveLength(2);
  });

  it('a deletion and firings of one turn agree on who was first', async () => {
    const { store } = use();
    const task = await newTask(store);
    const [first, , last] = await Promise.all([
      store.runs.fire(order(), firingOf(task, 'a')),
      store.tasks.delete('app', {}),
      store.runs.fire(order(), firingOf(task, 'b')),
    ]);
    expect([first?.created, last]).toEqual([true, undefined]);
  });

  it('firings outlive the events that they come from', async () => {
    const { store, clock } = use();
    const task = await newTask(store);
    await store.events.record([newEvent('push')]);
    await store.runs.fire(order(), firingOf(task, 'a'));
    await store.events.settle([{ id: 'e1', decisions: [] }]);
    await clock.advance(1000);
    expect(await store.events.prune({ before: at(1000), limit: 9 })).toBe(1);
    expect(await store.runs.fire(order(), firingOf(task, 'a'))).toEqual({ created: false, run: 'ra001' });
  });
}

function describeManual(use: () => StoreUnderTest): void {
  it('an event of a run that is asked for is settled with it', async () => {
    const { runs, events } = use().store;
    const event = newEvent('manual:1', { origin: 'manual', happening: { kind: 'manual', task: 'app', by: 'token ci' } });
    await runs.create({ request: runRequest({ task: 'app' }), event });
    expect(await events.get('e1')).toMatchObject({ status: 'settled', dedupKey: 'manual:1', settledAt: at() });
    expect(await events.decisions({ run: 'ra001', limit: 9 })).toEqual([
      { event: 'e1', at: at(), task: 'app', outcome: 'run', code: 'fired', because: expect.stringContaining('token ci'), run: 'ra001' },
    ]);
    expect(await events.pending(9)).toEqual([]);
  });

  it('a key that made a run before records no event', async () => {
    const { runs, events } = use().store;
    const create = (number: number) =>
      runs.create(
        { request: runRequest({ task: 'app' }), hold: WAITS, event: newEvent(`manual:${number}`, { origin: 'manual' }) },
        'ann 1',
      );
    const made = await Promise.all([create(1), create(2), create(3)]);
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(made[2]).toMatchObject({ hold: WAITS });
    expect(await events.counts()).toEqual({ pending: 0, settled: 1, failed: 0 });
  });
}

function describeJoin(use: () => StoreUnderTest): void {
  it('a firing joins a run that waits: its first cause and hold change, its keys are used', async () => {
    const { store } = use();
    const task = await newTask(store);
    const causes: readonly Cause[] = [update('a'), { kind: 'after', task: 'base', run: 'ra000' }];
    await store.runs.fire({ request: runRequest({ task: 'app', causes }), hold: WAITS }, firingOf(task, 'a'));
    expect(await store.runs.live()).toHaveLength(1);
    const later = { ...WAITS, until: at(60_000) };
    expect(await store.runs.join('ra001', { cause: update('b'), firing: firingOf(task, 'b', 'c'), hold: later })).toBe('done');
    const run = await store.runs.get('ra001');
    expect(run).toMatchObject({ hold: later, request: { task: 'app', causes: [update('b'), causes[1]] } });
    expect(await store.runs.live()).toEqual([run]);
    expect((await store.runs.list({ limit: 1 }))[0]?.causes).toEqual([update('b'), causes[1]]);
    expect(await store.runs.fire(order(), firingOf(task, 'c'))).toEqual({ created: false, run: 'ra001' });
    expect(await store.runs.join('ra001', { cause: update('c'), firing: firingOf(task, 'd') })).toBe('done');
    expect(await store.runs.get('ra001')).toMatchObject({ hold: later, request: { causes: [update('c'), causes[1]] } });
  });

  it('a firing that joins a run can choose its base images anew', async () => {
    const { store } = use();
    const task = await newTask(store);
    const chose = (use: string) => [{ reference: 'node:20', use }];
    await store.runs.fire({ request: runRequest({ task: 'app', baseImages: chose('node:20.1') }), hold: WAITS }, firingOf(task, 'a'));
    await store.runs.live();
    await store.runs.join('ra001', { cause: update('b'), firing: firingOf(task, 'b'), baseImages: chose('node:20.2') });
    expect((await store.runs.get('ra001'))?.request.baseImages).toEqual(chose('node:20.2'));
    expect((await store.runs.live())[0]?.request.baseImages).toEqual(chose('node:20.2'));
    await store.runs.join('ra001', { cause: update('c'), firing: firingOf(task, 'c') });
    expect((await store.runs.get('ra001'))?.request.baseImages).toEqual(chose('node:20.2'));
  });

  it('what joined before changes nothing', async () => {
    const { store } = use();
    const task = await newTask(store);
    await fired(store, task.id, WAITS, 'x');
    await store.runs.join('ra001', { cause: update('b'), firing: firingOf(task, 'b') });
    const before = await store.runs.get('ra001');
    expect(await store.runs.join('ra001', { cause: update('c'), firing: firingOf(task, 'b'), hold: APPROVAL })).toBe('done');
    expect(await store.runs.get('ra001')).toEqual(before);
  });

  it('nothing joins a run that was claimed, has ended or is not there, nor for a task that is gone', async () => {
    const { store } = use();
    const { runs } = store;
    const task = await newTask(store);
    const join = (id: string, key: string) => runs.join(id, { cause: update('b'), firing: firingOf(task, key) });
    await fired(store, task.id, undefined, '1');
    await runs.claim('ra001', { agent: 'one', from: 0 });
    expect(await join('ra001', 'a')).toBe('stale');
    await runs.release('ra001', 1);
    expect(await join('ra001', 'a')).toBe('stale');
    await runs.hold('ra001', WAITS);
    expect(await join('ra001', 'a')).toBe('done');
    await fired(store, task.id, WAITS, '2');
    await runs.requestCancel('ra002', { by: 'me', reason: 'no' });
    expect([await join('ra002', 'b'), await join('nobody', 'b'), await join('ra099', 'b')]).toEqual(['stale', 'stale', 'stale']);
    await fired(store, task.id, WAITS, '3');
    expect(await runs.fired(task.id, 'main', ['a', 'b'])).toEqual(new Map([['a', 'ra001']]));
    await store.tasks.delete('app', {});
    expect(await join('ra003', 'c')).toBe('stale');
  });
}

function describeJoinRaces(use: () => StoreUnderTest): void {
  it('of joins and claims at once each key is in the run that is claimed, or free', async () => {
    const { store } = use();
    const task = await newTask(store);
    const moves = fc.array(fc.oneof(fc.constant('claim' as const), fc.constant('cancel' as const), fc.nat(5)), {
      minLength: 1,
      maxLength: 12,
    });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(moves, async (each) => {
        round += 1;
        const { id } = await fired(store, task.id, undefined, `first ${round}`);
        const answers = await Promise.all(
          each.map(async (move) => {
            if (move === 'claim') return { claimed: await store.runs.claim(id, { agent: 'one', from: 0 }) };
            if (move === 'cancel') return { canceled: await store.runs.requestCancel(id, { by: 'me', reason: 'race' }) };
            const key = `${round} ${move}`;
            return { key, joined: await store.runs.join(id, { cause: update(`${move}`), firing: firingOf(task, key) }) };
          }),
        );
        const claimed = answers.find((answer) => answer.claimed !== undefined)?.claimed;
        const run = await store.runs.get(id);
        if (claimed !== undefined) expect(claimed.request.causes).toEqual(run?.request.causes);
        const joined = answers.filter((answer) => answer.joined === 'done').map(({ key = '' }) => key);
        const used = await store.runs.fired(
          task.id,
          'main',
          answers.flatMap(({ key }) => (key === undefined ? [] : [key])),
        );
        expect([...used.keys()].sort()).toEqual([...new Set(joined)].sort());
        for (const answer of answers) {
          if (answer.joined !== 'stale' || joined.includes(answer.key)) continue;
          const again = await store.runs.fire(order(), firingOf(task, answer.key));
          expect(again).toBeDefined();
          expect(again?.created === false ? again.run : '').not.toBe(id);
        }
      }),
      { numRuns: 40 },
    );
  });
}

function describeHold(use: () => StoreUnderTest): void {
  it('are queued, listed oldest first, and not claimed until the hold is taken away', async () => {
    const { store, reopen } = use();
    await store.runs.create({ request: runRequest({ task: 'app' }), hold: WAITS });
    await store.runs.create({ request: runRequest() });
    await store.runs.create({ request: runRequest(), hold: { because: 'waits for others', runs: ['ra001'] } });
    expect((await store.runs.held()).map(({ id }) => id)).toEqual(['ra001', 'ra003']);
    expect((await store.runs.live()).map(({ hold }) => hold?.because)).toEqual([WAITS.because, undefined, 'waits for others']);
    await reopen();
    const { runs } = use().store;
    expect(await runs.claim('ra001', { agent: 'one', from: 0 })).toBeUndefined();
    expect(await runs.get('ra001')).toMatchObject({ status: 'Queued', attempt: 0, hold: WAITS });
    const longer = { ...WAITS, until: at(90_000) };
    expect(await runs.hold('ra001', longer)).toBe('done');
    expect((await runs.held())[0]).toMatchObject({ hold: longer });
    expect(await runs.hold('ra001', undefined)).toBe('done');
    expect(await runs.hold('ra001', undefined)).toBe('done');
    expect((await runs.held()).map(({ id }) => id)).toEqual(['ra003']);
    expect((await runs.live())[0]).not.toHaveProperty('hold');
    expect(await runs.claim('ra001', { agent: 'one', from: 0 })).toMatchObject({ status: 'Started' });
  });

  it('hold what was released too, and nothing that is claimed, ended or missing', async () => {
    const { runs } = use().store;
    await runs.create({ request: runRequest() });
    await runs.claim('ra001', { agent: 'one', from: 0 });
    expect(await runs.hold('ra001', WAITS)).toBe('stale');
    await runs.release('ra001', 1);
    expect(await runs.hold('ra001', WAITS)).toBe('done');
    expect(await runs.claim('ra001', { agent: 'one', from: 1 })).toBeUndefined();
    await runs.finish('ra001', undefined, outcome('Timeout'));
    expect([await runs.hold('ra001', WAITS), await runs.hold('nobody', WAITS)]).toEqual(['stale', 'stale']);
  });

  it('wait for nothing any more when they end', async () => {
    const { runs } = use().store;
    for (let count = 0; count < 2; count += 1) await runs.create({ request: runRequest(), hold: WAITS });
    expect(await runs.finish('ra001', 0, outcome('Timeout'))).toBe('done');
    expect(await runs.requestCancel('ra002', { by: 'me', reason: 'no' })).toBe('ended');
    expect(await runs.held()).toEqual([]);
    for (const id of ['ra001', 'ra002']) expect(await runs.get(id)).not.toHaveProperty('hold');
  });
}

function describeApproval(use: () => StoreUnderTest): void {
  it('an approval is of one commit, is kept, and leaves what else is waited for', async () => {
    const { store, clock } = use();
    const { runs } = store;
    await runs.create({ request: runRequest(), hold: APPROVAL });
    await runs.create({ request: runRequest(), hold: { ...APPROVAL, runs: ['ra001'] } });
    await clock.advance(1000);
    expect(await runs.approve('ra001', { by: 'ann', commit: 'ffffffff' })).toBe('stale');
    expect(await runs.approve('ra001', { by: 'ann', commit: '' })).toBe('stale');
    expect(await runs.approve('ra001', { by: 'ann', commit: 'ABCDEF12' })).toBe('done');
    const approved = await runs.get('ra001');
    expect(approved).toMatchObject({ approval: { by: 'ann', at: at(1000), commit: 'ABCDEF12' } });
    expect(approved).not.toHaveProperty('hold');
    expect(await runs.approve('ra001', { by: 'bob', commit: 'abcdef12' })).toBe('stale');
    expect(await runs.approve('ra002', { by: 'ann', commit: 'abcdef12' })).toBe('done');
    expect(await runs.get('ra002')).toMatchObject({ hold: { because: APPROVAL.because, runs: ['ra001'] }, approval: { by: 'ann' } });
    expect((await runs.held()).map(({ id }) => id)).toEqual(['ra002']);
    await runs.finish('ra001', undefined, outcome('Canceled'));
    expect(await runs.get('ra001')).toMatchObject({ approval: { by: 'ann' } });
  });

  it('what waits for no approval, has ended or is missing cannot be approved', async () => {
    const { runs } = use().store;
    const approval = { by: 'ann', commit: 'abcdef12' };
    await runs.create({ request: runRequest() });
    await runs.create({ request: runRequest(), hold: WAITS });
    await runs.create({ request: runRequest(), hold: APPROVAL });
    await runs.requestCancel('ra003', { by: 'me', reason: 'no' });
    for (const id of ['ra001', 'ra002', 'ra003', 'nobody']) expect(await runs.approve(id, approval)).toBe('stale');
  });
}
