import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineError } from '../../src/model/engine-error.ts';
import type { Store } from '../../src/model/ports/store.ts';
import type { Happening, NewTriggerEvent, TriggerEvent } from '../../src/model/trigger-event.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { createEvaluator, type Evaluator } from '../../src/trigger/evaluator.ts';
import type { Evaluation, Handlers } from '../../src/trigger/parts.ts';
import { createFakeClock, type FakeClock, settled } from '../fakes/fake-clock.ts';
import { type Folder, makeFolder } from '../service/runs/control-plane.ts';
import { waitFor } from '../support/wait-for.ts';

let folder: Folder;
let clock: FakeClock;
let store: Store;
let evaluator: Evaluator | undefined;
let problems: string[];
beforeEach(async () => {
  folder = await makeFolder();
  clock = createFakeClock();
  problems = [];
  await open();
});
afterEach(async () => {
  await evaluator?.close();
  evaluator = undefined;
  await store.close();
  await folder.remove();
});

async function open(): Promise<void> {
  store = await openSqliteStore({ path: `${folder.path}/slipway.db`, clock });
}

function evaluate(handlers: Handlers): Evaluator {
  const { events } = store;
  evaluator = createEvaluator({ events, handlers, clock, onProblem: (what, error) => void problems.push(`${what}: ${String(error)}`) });
  evaluator.start();
  return evaluator;
}

function pushTo(repository: string, number: number): NewTriggerEvent {
  const happening: Happening = {
    ...{ kind: 'push', repository: { forge: 'Github', url: `https://git.example/${repository}.git` }, ref: 'refs/heads/main' },
    ...{ before: '0'.repeat(40), after: String(number).padStart(40, 'a') },
  };
  return { dedupKey: `${repository} ${number}`, origin: 'webhook', happening };
}

function tick(number: number): NewTriggerEvent {
  const happening: Happening = {
    ...{ kind: 'timer', task: 'other', taskId: 'x', trigger: 't' },
    ...{ occurrence: new Date(number).toISOString(), late: false },
  };
  return { dedupKey: `timer ${number}`, origin: 'timer', happening };
}

const NONE: Evaluation = { decisions: [{ outcome: 'skipped', code: 'no-trigger', because: 'a test' }] };

async function record(...events: readonly NewTriggerEvent[]): Promise<readonly string[]> {
  return (await store.events.record(events)).map(({ id }) => id);
}

async function statusOf(id: string): Promise<Partial<TriggerEvent>> {
  const { status, attempts, error } = (await store.events.get(id)) as TriggerEvent;
  return { status, attempts, ...(error === undefined ? {} : { error }) };
}

describe('the evaluator', () => {
  it('decides on events of one repository in order, and on those of others beside them', async () => {
    const begun: string[] = [];
    const waiting = new Map<string, () => void>();
    const ids = await record(pushTo('a', 1), pushTo('a', 2), pushTo('b', 1), pushTo('a', 3), pushTo('b', 2));
    const all = evaluate({
      push: async ({ dedupKey }) => {
        begun.push(dedupKey);
        await new Promise<void>((resolve) => waiting.set(dedupKey, resolve));
        return NONE;
      },
    });
    const release = async (key: string): Promise<void> => (await waitFor(async () => waiting.get(key)))();
    await release('b 1');
    await release('b 2');
    await all.settled([ids[4] ?? ''], new AbortController().signal);
    expect(begun).toEqual(['a 1', 'b 1', 'b 2']);
    for (const key of ['a 1', 'a 2', 'a 3']) await release(key);
    await all.idle();
    expect(begun).toEqual(['a 1', 'b 1', 'b 2', 'a 2', 'a 3']);
    expect(await store.events.counts()).toEqual({ pending: 0, settled: 5, failed: 0 });
  });

  it('keeps decisions and takes up the events that follow from them', async () => {
    const [id = ''] = await record(pushTo('a', 1));
    const follows: NewTriggerEvent = { dedupKey: 'ended', origin: 'run', happening: { kind: 'run-ended', run: 'ra001', status: 'Failed' } };
    const then = [follows];
    await evaluate({
      push: async () => ({
        decisions: [{ task: 'app', trigger: 't', outcome: 'run', code: 'fired', because: 'a push', run: 'ra001' }],
        then,
      }),
    }).idle();
    expect(await store.events.decisions({ event: id, limit: 10 })).toEqual([
      {
        event: id,
        at: '2030-01-02T03:04:05.000Z',
        task: 'app',
        trigger: 't',
        outcome: 'run',
        code: 'fired',
        because: 'a push',
        run: 'ra001',
      },
    ]);
    expect((await store.events.decisions({ event: 'e2', limit: 10 })).map(({ code, because }) => `${code}: ${because}`)).toEqual([
      'no-trigger: nothing follows events of kind run-ended',
    ]);
  });

  it('postpones for what passes, longer each time, and takes the event up when it is time', async () => {
    const [id = ''] = await record(pushTo('a', 1));
    let calls = 0;
    const all = evaluate({
      push: async () => {
        calls += 1;
        if (calls < 6) throw new EngineError('context-failed', 'the server did not answer', { transient: true });
        return NONE;
      },
    });
    await all.idle();
    expect(calls).toBe(1);
    expect(await statusOf(id)).toEqual({ status: 'pending', attempts: 0, error: 'the server did not answer' });
    for (const seconds of [1, 2, 4, 8, 16]) {
      await clock.advance(seconds * 1000 - 1);
      await all.idle();
      const before = calls;
      await clock.advance(1);
      await all.idle();
      expect(calls).toBe(before + 1);
    }
    expect(await statusOf(id)).toEqual({ status: 'settled', attempts: 1 });
    expect(problems).toEqual([]);
  });

  it('gives an event up at the third other error, and goes on with the next', async () => {
    const [bad = '', good = ''] = await record(pushTo('a', 1), pushTo('a', 2));
    const all = evaluate({
      push: async ({ dedupKey }) => {
        if (dedupKey === 'a 1') throw new TypeError('cannot read this');
        return NONE;
      },
    });
    await all.idle();
    expect(await statusOf(good)).toMatchObject({ status: 'settled' });
    for (let seconds = 0; seconds < 4; seconds += 1) {
      await clock.advance(1000);
      await all.idle();
    }
    expect(await statusOf(bad)).toEqual({ status: 'failed', attempts: 3, error: 'cannot read this' });
    expect(problems).toHaveLength(3);
  });

  it('an event that ends the process is given up after three times; those beside it are not', async () => {
    const ids = await record(pushTo('bad', 1), ...Array.from({ length: 10 }, (_, index) => pushTo(`good${index}`, 1)));
    for (let process = 1; process <= 5; process += 1) {
      let ended = false;
      const alone: boolean[] = [];
      let running = 0;
      const all = evaluate({
        push: async ({ dedupKey }) => {
          running += 1;
          if (dedupKey === 'bad 1') {
            alone.push(running === 1);
            ended = true;
          }
          // From here on nothing of this process reaches the store.
          await (ended ? new Promise<never>(() => undefined) : settled());
          running -= 1;
          return NONE;
        },
      });
      if (process <= 3) {
        await waitFor(async () => (ended ? true : undefined));
        await settled();
        await store.close();
        await open();
        evaluator = undefined;
        // The first time nobody is known to be guilty.
        if (process > 2) expect(alone).toEqual([true]);
      } else await all.idle();
    }
    expect(await statusOf(ids[0] ?? '')).toEqual({
      status: 'failed',
      attempts: 3,
      error: 'the daemon ended 3 times while it decided on this event',
    });
    expect(await store.events.counts()).toEqual({ pending: 0, settled: 10, failed: 1 });
  });

  it('an event that ended the process before, and takes long, holds up no other', async () => {
    const [slow = '', quick = ''] = await record(pushTo('slow', 1), pushTo('quick', 1));
    await store.events.begin([slow]);
    await store.events.begin([slow]);
    const waiting: (() => void)[] = [];
    const all = evaluate({
      push: async ({ dedupKey }) => {
        if (dedupKey === 'slow 1') await new Promise<void>((resolve) => waiting.push(resolve));
        return NONE;
      },
    });
    await waitFor(async () => (waiting.length === 1 ? true : undefined));
    await waitFor(async () => ((await statusOf(quick)).status === 'settled' ? true : undefined));
    const closed = all.close();
    for (const resolve of waiting) resolve();
    await closed;
    evaluator = undefined;
    expect(await statusOf(slow)).toMatchObject({ status: 'settled' });
  });

  it('many of them are tried one after the other, each for a while, and nobody else waits for them', async () => {
    const suspects = await record(...Array.from({ length: 15 }, (_, index) => pushTo(`slow${index}`, 1)));
    for (let process = 0; process < 2; process += 1) await store.events.begin(suspects);
    const [timer = ''] = await record(tick(1));
    let begun = 0;
    const slow = Promise.withResolvers<void>();
    const all = evaluate({
      push: async () => {
        begun += 1;
        await slow.promise;
        return NONE;
      },
      timer: async () => NONE,
    });
    await all.settled([timer], AbortSignal.timeout(5000));
    await waitFor(async () => (begun === 1 ? true : undefined));
    await clock.advance(1999);
    expect(begun).toBe(1);
    await clock.advance(1);
    await waitFor(async () => (begun === 2 ? true : undefined));
    slow.resolve();
    await all.idle();
    expect(begun).toBe(15);
  });

  it('close lets what was begun end, and leaves the rest pending', async () => {
    const ids = await record(...Array.from({ length: 100 }, (_, index) => pushTo(`repository${index}`, 1)));
    const waiting: (() => void)[] = [];
    const all = evaluate({
      push: async () => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        return NONE;
      },
    });
    const begun = await waitFor(async () => (waiting.length >= 10 ? waiting.length : undefined));
    const closed = all.close();
    for (const resolve of waiting) resolve();
    await closed;
    evaluator = undefined;
    const { settled: kept, pending } = await store.events.counts();
    expect(kept).toBeGreaterThanOrEqual(begun);
    expect(kept + pending).toBe(ids.length);
    await evaluate({ push: async () => NONE }).idle();
    expect(await store.events.counts()).toEqual({ pending: 0, settled: 100, failed: 0 });
  });

  it('close ends what takes long; it stays pending, and is nobody’s fault, however often', async () => {
    const [id = ''] = await record(pushTo('a', 1));
    for (let time = 1; time <= 5; time += 1) {
      let begun = false;
      const all = evaluate({
        push: (_, signal) =>
          new Promise((_resolve, reject) => {
            begun = true;
            signal.addEventListener('abort', () => reject(new Error('ended')));
          }),
      });
      await waitFor(async () => (begun ? true : undefined));
      const closed = all.close();
      await clock.advance(10_000);
      await closed;
      evaluator = undefined;
      expect(await statusOf(id)).toMatchObject({ status: 'pending', attempts: 0 });
    }
    expect(problems).toEqual([]);
    await evaluate({ push: async () => NONE }).idle();
    expect(await statusOf(id)).toEqual({ status: 'settled', attempts: 1 });
  });

  it('tries again a second later what the store cannot keep, and not at once', async () => {
    await record(pushTo('a', 1), pushTo('b', 1));
    let refused = 0;
    const events = {
      ...store.events,
      begin: async () => {
        refused += 1;
        throw new EngineError('disk-full', 'no room', { transient: true });
      },
    };
    evaluator = createEvaluator({ events, handlers: { push: async () => NONE }, clock, onProblem: (what) => void problems.push(what) });
    evaluator.start();
    await waitFor(async () => (refused >= 2 ? true : undefined));
    for (let time = 0; time < 20; time += 1) {
      evaluator.notify();
      await store.events.counts();
      await clock.advance(0);
    }
    expect(refused).toBe(2);
    await clock.advance(1000);
    await waitFor(async () => (refused === 4 ? true : undefined));
  });

  it('goes on when the store could not keep something', async () => {
    await record(pushTo('a', 1));
    let refused = 0;
    const events = {
      ...store.events,
      settle: async (...settlements: Parameters<Store['events']['settle']>) => {
        refused += 1;
        if (refused <= 2) throw new EngineError('disk-full', 'no room', { transient: true });
        return store.events.settle(...settlements);
      },
    };
    evaluator = createEvaluator({ events, handlers: { push: async () => NONE }, clock, onProblem: (what) => void problems.push(what) });
    evaluator.start();
    for (let seconds = 0; seconds < 5; seconds += 1) {
      await waitFor(async () => (clock.remaining().length > 0 ? true : undefined));
      await clock.advance(1000);
    }
    await evaluator.idle();
    expect(await store.events.counts()).toMatchObject({ settled: 1 });
    expect(problems).toEqual(['event e1 could not be kept', 'event e1 could not be kept']);
  });
});

describe('thousands of events of one slow repository', () => {
  it('keep neither a timer nor another repository waiting, and are decided on in their order', async () => {
    await record(...Array.from({ length: 2100 }, (_, index) => pushTo('slow', index)));
    const slow = Promise.withResolvers<void>();
    const begun: string[] = [];
    const all = evaluate({
      push: async ({ dedupKey }) => {
        if (dedupKey.startsWith('slow')) {
          begun.push(dedupKey);
          await slow.promise;
        }
        return NONE;
      },
      timer: async () => NONE,
      manual: async () => NONE,
    });
    await waitFor(async () => (begun.length === 1 ? true : undefined));
    const later = await record(tick(1), pushTo('well', 1));
    all.notify();
    await all.settled(later, AbortSignal.timeout(5000));
    expect((await store.events.counts()).settled).toBe(2);
    slow.resolve();
    await all.idle();
    expect(begun).toEqual(Array.from({ length: 2100 }, (_, index) => `slow ${index}`));
  });

  it('are decided on in their order also when some are tried again between them', async () => {
    await record(...Array.from({ length: 200 }, (_, index) => pushTo('slow', index)));
    const decided: string[] = [];
    const all = evaluate({
      push: async ({ dedupKey }) => {
        if (decided.length === 100 && dedupKey !== 'again') {
          decided.push('again');
          throw new EngineError('context-failed', 'the server did not answer', { transient: true });
        }
        decided.push(dedupKey);
        return NONE;
      },
    });
    await all.idle();
    await clock.advance(1000);
    await all.idle();
    expect(decided.filter((key) => key !== 'again')).toEqual([
      ...Array.from({ length: 200 }, (_, index) => `slow ${index}`).filter((key) => key !== 'slow 100'),
      'slow 100',
    ]);
  });

  it('in lanes of their own, more than memory takes, are all decided on', async () => {
    await record(...Array.from({ length: 3000 }, (_, index) => pushTo(`repository${index}`, 1)), tick(1));
    const slow = Promise.withResolvers<void>();
    let begun = 0;
    const all = evaluate({
      push: async () => {
        begun += 1;
        await slow.promise;
        return NONE;
      },
      timer: async () => NONE,
    });
    await all.settled(['e3001'], AbortSignal.timeout(5000));
    slow.resolve();
    await all.idle();
    expect(begun).toBe(3000);
    expect(await store.events.counts()).toEqual({ pending: 0, settled: 3001, failed: 0 });
  });
});

describe('while a crowd of deliveries is there', () => {
  it('timers do not wait, a lane waits once, and some always go on', async () => {
    const ids = await record(...Array.from({ length: 50 }, (_, index) => pushTo('one', index)), tick(1));
    const many = await record(...Array.from({ length: 300 }, (_, index) => pushTo(`many${index}`, 1)));
    let isBusy = true;
    const decided = new Set<string>();
    const { events } = store;
    const handlers: Handlers = {
      push: async ({ id }) => {
        decided.add(id);
        return NONE;
      },
      timer: async () => NONE,
    };
    const all = createEvaluator({ events, handlers, clock, isBusy: () => isBusy, onProblem: (what) => void problems.push(what) });
    evaluator = all;
    all.start();
    await all.settled(ids.slice(-1), AbortSignal.timeout(5000));
    expect(await statusOf(ids.at(-1) ?? '')).toMatchObject({ status: 'settled' });
    expect(decided.size).toBe(0);
    // One sleep for all that wait, beside the one for what comes next.
    await waitFor(async () => (clock.remaining().length <= 3 ? true : undefined));
    const before = decided.size;
    await clock.advance(25);
    await waitFor(async () => (decided.size > before ? true : undefined));
    await all.settled(ids, AbortSignal.timeout(5000));
    expect(decided.size).toBeGreaterThanOrEqual(50);
    expect(decided.size).toBeLessThan(70);
    isBusy = false;
    for (let look = 0; look < 10; look += 1) await clock.advance(25);
    await all.settled(many, AbortSignal.timeout(5000));
    expect(problems).toEqual([]);
  });
});
