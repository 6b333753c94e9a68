import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Ending } from '../../src/run/edge-condition.ts';
import type { RestoredStep } from '../../src/run/restore.ts';
import { createSchedule, type Schedule, type ScheduledStep } from '../../src/run/schedule.ts';

const SUCCEEDED: Ending = { status: 'succeeded', exitCode: 0 };
const FAILED: Ending = { status: 'failed', exitCode: 1 };

/** Steps from `b: a` lines; weights are computed like the plan's. */
function graph(needs: Record<string, readonly string[]>, conditions: Record<string, ScheduledStep['edgeCondition']> = {}): ScheduledStep[] {
  const weights = new Map<string, number>();
  for (const id of Object.keys(needs).toReversed()) {
    const after = Object.keys(needs).filter((other) => needs[other]?.includes(id));
    weights.set(id, 1 + Math.max(0, ...after.map((other) => weights.get(other) ?? 0)));
  }
  return Object.entries(needs).map(([id, list]) => {
    const edgeCondition = conditions[id];
    return { id, needs: list, weight: weights.get(id) ?? 1, ...(edgeCondition === undefined ? {} : { edgeCondition }) };
  });
}

function run(schedule: Schedule, id: string, ending: Ending = SUCCEEDED) {
  expect(schedule.started(id)).toBe(true);
  return schedule.finished(id, ending);
}

describe('schedule', () => {
  test('offers roots by critical path, then in file order', () => {
    const schedule = createSchedule(graph({ short: [], other: [], long: [], next: ['long'], last: ['next'] }), { keepGoing: false });
    expect(schedule.ready()).toEqual(['long', 'short', 'other']);
    expect(schedule.ready()).toEqual([]);
  });

  test('a join becomes ready once, after the last of its needs', () => {
    const schedule = createSchedule(graph({ a: [], b: [], join: ['a', 'b'] }), { keepGoing: false });
    schedule.ready();
    expect(run(schedule, 'a').ready).toEqual([]);
    expect(run(schedule, 'b').ready).toEqual(['join']);
    expect(schedule.ready()).toEqual([]);
    run(schedule, 'join');
    expect(schedule.done).toBe(true);
  });

  test('the same need named twice counts once', () => {
    const schedule = createSchedule(graph({ a: [], b: ['a', 'a'] }), { keepGoing: false });
    schedule.ready();
    expect(run(schedule, 'a').ready).toEqual(['b']);
  });

  test('a failure skips everything that has not started, with its reason', () => {
    const schedule = createSchedule(graph({ a: [], b: [], c: ['a'], d: [] }), { keepGoing: false });
    schedule.ready();
    schedule.started('b');
    const result = run(schedule, 'a', FAILED);
    expect(result.endsRun).toBe(true);
    expect(result.skipped).toEqual([
      { id: 'c', because: 'a failed' },
      { id: 'd', because: 'a failed' },
    ]);
    expect(schedule.started('d')).toBe(false);
    expect(schedule.done).toBe(false);
    schedule.finished('b', { status: 'canceled' });
    expect(schedule.done).toBe(true);
  });

  test('keep going: only descendants are skipped, with the root of the trouble as the reason', () => {
    const schedule = createSchedule(graph({ a: [], b: ['a'], c: ['b'], d: [], e: ['d'], f: ['c', 'e'] }), { keepGoing: true });
    schedule.ready();
    const result = run(schedule, 'a', { status: 'errored' });
    expect(result.endsRun).toBe(false);
    expect(result.skipped).toEqual(['b', 'c', 'f'].map((id) => ({ id, because: 'a could not be done' })));
    expect(run(schedule, 'd').ready).toEqual(['e']);
    run(schedule, 'e');
    expect(schedule.done).toBe(true);
  });

  test('stop skips what has not started and is idempotent', () => {
    const schedule = createSchedule(graph({ a: [], b: ['a'] }), { keepGoing: false });
    schedule.ready();
    expect(schedule.stop('the run was canceled')).toEqual(['a', 'b'].map((id) => ({ id, because: 'the run was canceled' })));
    expect(schedule.stop('again')).toEqual([]);
    expect(schedule.done).toBe(true);
    expect(schedule.ready()).toEqual([]);
  });

  test('calls out of order are bugs', () => {
    const schedule = createSchedule(graph({ a: [], b: ['a'] }), { keepGoing: false });
    expect(() => schedule.started('b')).toThrow('bug: step b starts but is not ready');
    expect(() => schedule.finished('a', SUCCEEDED)).toThrow('bug: step a ends but does not run');
    expect(() => schedule.started('x')).toThrow('bug: the plan has no step x');
  });
});

describe('edge conditions', () => {
  const steps = graph(
    { test: [], publish: ['test'], report: ['test'], always: ['test'] },
    { report: { exitedWith: [1, 2], exitedWithout: [] }, always: { exitedWith: [], exitedWithout: [3] } },
  );

  test('a failure that a successor waits for does not end the run', () => {
    const schedule = createSchedule(steps, { keepGoing: false });
    schedule.ready();
    expect(run(schedule, 'test', { status: 'failed', exitCode: 1 })).toEqual({
      ready: ['report', 'always'],
      skipped: [{ id: 'publish', because: 'test failed' }],
      because: 'test failed',
      expected: true,
      endsRun: false,
    });
  });

  test('after success the step that waits for a failure is skipped', () => {
    const schedule = createSchedule(steps, { keepGoing: false });
    schedule.ready();
    expect(run(schedule, 'test')).toEqual({
      ready: ['publish', 'always'],
      skipped: [{ id: 'report', because: 'test exited with 0' }],
      because: 'test exited with 0',
      expected: false,
      endsRun: false,
    });
  });

  test('a code nobody waits for, and an ending without a code, end the run', () => {
    for (const ending of [{ status: 'failed', exitCode: 3 }, { status: 'failed' }, { status: 'errored' }] as const) {
      const schedule = createSchedule(steps, { keepGoing: false });
      schedule.ready();
      expect(run(schedule, 'test', ending)).toMatchObject({ endsRun: true, expected: false });
    }
  });

  test('an ignored failure satisfies ordinary edges and keeps its code for the others', () => {
    const schedule = createSchedule(steps, { keepGoing: false });
    schedule.ready();
    expect(run(schedule, 'test', { status: 'succeeded', exitCode: 2, ignored: true }).ready).toEqual(['publish', 'report', 'always']);
  });
});

describe('any graph', () => {
  const dag = fc
    .array(
      fc.tuple(fc.array(fc.nat(), { maxLength: 4 }), fc.constantFrom<Ending['status']>('succeeded', 'succeeded', 'failed', 'errored')),
      {
        minLength: 1,
        maxLength: 40,
      },
    )
    .map((rows) =>
      rows.map(([needs, status], index) => ({
        step: { id: `s${index}`, needs: index === 0 ? [] : needs.map((need) => `s${need % index}`), weight: rows.length - index },
        status,
      })),
    );

  test.each([true, false])('starts every step after its needs, once, and ends all (keepGoing %s)', (keepGoing) => {
    fc.assert(
      fc.property(dag, fc.infiniteStream(fc.nat()), (rows, choices) => {
        const steps = rows.map((row) => row.step);
        const schedule = createSchedule(steps, { keepGoing });
        const running: string[] = [];
        const ended = new Map<string, string>();
        let stopped = false;
        const start = (ids: readonly string[]): void => {
          for (const id of ids) {
            expect(stopped).toBe(false);
            for (const need of steps.find((step) => step.id === id)?.needs ?? []) expect(ended.get(need)).toBe('succeeded');
            expect(ended.has(id) || running.includes(id)).toBe(false);
            expect(schedule.started(id)).toBe(true);
            running.push(id);
          }
        };
        start(schedule.ready());
        while (running.length > 0) {
          const [id] = running.splice((choices.next().value as number) % running.length, 1) as [string];
          const status = stopped ? 'canceled' : (rows.find((row) => row.step.id === id)?.status ?? 'failed');
          ended.set(id, status);
          const result = schedule.finished(id, { status, exitCode: status === 'succeeded' ? 0 : 1 });
          for (const skipped of result.skipped) {
            expect(ended.has(skipped.id)).toBe(false);
            ended.set(skipped.id, 'skipped');
          }
          if (result.endsRun) stopped = true;
          start(result.ready);
        }
        expect(schedule.done).toBe(true);
        expect(ended.size).toBe(steps.length);
      }),
    );
  });

  /** Plays a graph to its end; `cut`: after so many endings another schedule goes on, from the endings and a part of what they meant. */
  function play(
    rows: readonly { readonly step: ScheduledStep; readonly status: Ending['status'] }[],
    choices: readonly number[],
    options: { readonly keepGoing: boolean; readonly cut: number },
  ) {
    const steps = rows.map((row) => row.step);
    let schedule = createSchedule(steps, options);
    const ended = new Map<string, string>();
    const restorable = new Map<string, RestoredStep>();
    const running: string[] = [];
    let stopped = false;
    const start = (ids: readonly string[]): void => {
      for (const id of ids) if (schedule.started(id)) running.push(id);
    };
    const skip = (ids: readonly string[]): void => {
      for (const id of ids) {
        ended.set(id, 'skipped');
        restorable.set(id, 'skipped');
      }
    };
    start(schedule.ready());
    for (let turn = 0; running.length > 0; turn += 1) {
      const [id] = running.splice((choices[turn % choices.length] ?? 0) % running.length, 1) as [string];
      const status = stopped ? 'canceled' : (rows.find((row) => row.step.id === id)?.status ?? 'failed');
      const ending = { status, exitCode: status === 'succeeded' ? 0 : 1 };
      ended.set(id, status);
      restorable.set(id, ending);
      const result = schedule.finished(id, ending);
      const skipped = result.skipped.map((step) => step.id);
      if (turn !== options.cut) {
        skip(skipped);
        stopped ||= result.endsRun;
        start(result.ready);
        continue;
      }
      skip(skipped.slice(0, (choices[0] ?? 0) % (skipped.length + 1)));
      schedule = createSchedule(steps, options);
      const restored = schedule.restore(new Map([...restorable, ...running.map((other) => [other, 'running'] as const)]));
      skip(restored.skipped.map((step) => step.id));
      stopped = restored.endsRun;
      start(schedule.ready());
    }
    expect(schedule.done).toBe(true);
    return Object.fromEntries([...ended].sort(([a], [b]) => a.localeCompare(b)));
  }

  test.each([true, false])('ends the same when it is cut off and restored in the middle (keepGoing %s)', (keepGoing) => {
    fc.assert(
      fc.property(dag, fc.array(fc.nat(), { minLength: 1, maxLength: 40 }), fc.nat(40), (rows, choices, cut) => {
        expect(play(rows, choices, { keepGoing, cut })).toEqual(play(rows, choices, { keepGoing, cut: -1 }));
      }),
      { numRuns: 500 },
    );
  });

  test('a random graph of 10,000 steps costs at most 20 µs a step', () => {
    const random = seeded(7);
    const steps = Array.from({ length: 10_000 }, (_, index) => ({
      id: `step-${index}`,
      needs: index === 0 ? [] : Array.from({ length: random(4) }, () => `step-${Math.max(0, index - 1 - random(200))}`),
      weight: 10_000 - index,
    }));
    const times = Array.from({ length: 7 }, () => {
      const before = process.cpuUsage();
      const schedule = createSchedule(steps, { keepGoing: false });
      const queue = [...schedule.ready()];
      for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
        schedule.started(id);
        queue.push(...schedule.finished(id, SUCCEEDED).ready);
      }
      expect(schedule.done).toBe(true);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / steps.length;
    });
    expect(Math.min(...times)).toBeLessThan(20);
  });
});

function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}
