import fc from 'fast-check';
import { expect, test } from 'vitest';
import { agedPriority, type QueueAgent, type QueueLimits } from '../../src/queue/admission.ts';
import { decideQueue, nextRun, waitingOrder } from '../../src/queue/claim-policy.ts';
import type { LiveRun } from '../../src/queue/live-run.ts';
import { QueueBook } from '../../src/queue/queue-book.ts';
import { waitingRun } from './live-runs.ts';

const TASKS = ['a', 'b', 'c', 'd'];
const POOLS = ['default', 'big'];
const agents: readonly QueueAgent[] = [
  { id: 'one', pool: 'default', slots: 2 },
  { id: 'two', pool: 'default', slots: 1 },
  { id: 'three', pool: 'big', slots: 2 },
];

const runFields = fc.record({
  task: fc.constantFrom(...TASKS),
  priority: fc.constantFrom(-100, 0, 0, 0, 5, 100),
  pool: fc.constantFrom('default', 'default', 'default', 'big'),
  group: fc.option(fc.record({ name: fc.constantFrom('g', 'h'), limit: fc.integer({ min: 1, max: 3 }) }), { nil: undefined }),
  maxParallelRuns: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  crashes: fc.constantFrom(0, 0, 0, 0, 1),
});

const action = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('create' as const), fields: runFields }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('claim' as const), agent: fc.nat(agents.length - 1) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('plan' as const), pick: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('end' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 600_000 }) }) },
);

/** A world in which runs come, start, end and come back, as the queue's own book sees it. */
class World {
  readonly book = new QueueBook();
  nowMs = 1_000_000;
  readonly limits: QueueLimits;
  #number = 0;

  constructor(limits: QueueLimits) {
    this.limits = limits;
  }

  get runs(): readonly LiveRun[] {
    return [...this.book.runs()];
  }

  get active(): readonly LiveRun[] {
    return this.runs.filter(({ phase }) => phase !== 'queued');
  }

  get view() {
    return { book: this.book, agents, limits: this.limits, nowMs: this.nowMs };
  }

  create({
    group,
    maxParallelRuns,
    ...fields
  }: {
    readonly task: string;
    readonly group?: LiveRun['group'];
    readonly maxParallelRuns?: number | undefined;
  }): LiveRun {
    this.#number += 1;
    const run = waitingRun(this.#number, {
      ...fields,
      ...(group === undefined ? {} : { group }),
      ...(maxParallelRuns === undefined ? {} : { maxParallelRuns }),
      createdMs: this.nowMs,
    });
    this.book.put(run, this.nowMs);
    return run;
  }

  claim(agent: QueueAgent): LiveRun | undefined {
    const run = nextRun(this.view, agent);
    if (run !== undefined) this.book.put({ ...run, phase: 'preparing', agent: agent.id, attempt: run.attempt + 1 }, this.nowMs);
    return run;
  }

  change(pick: number, to: 'running' | 'queued' | 'ended'): void {
    const run = this.active[pick % Math.max(1, this.active.length)];
    if (run === undefined) return;
    const { agent: _, ...free } = run;
    if (to === 'ended') this.book.remove(run.id, this.nowMs);
    else this.book.put(to === 'running' ? { ...run, phase: to } : { ...free, phase: to }, this.nowMs);
  }
}

function play(world: World, actions: readonly (typeof action extends fc.Arbitrary<infer A> ? A : never)[], check: () => void): void {
  for (const step of actions) {
    if (step.kind === 'create') world.create(definedFields(step.fields));
    else if (step.kind === 'claim') world.claim(agents[step.agent] as QueueAgent);
    else if (step.kind === 'plan') world.change(step.pick, 'running');
    else if (step.kind === 'release') world.change(step.pick, 'queued');
    else if (step.kind === 'end') world.change(step.pick, 'ended');
    else world.nowMs += step.ms;
    check();
  }
}

type Fields = typeof runFields extends fc.Arbitrary<infer F> ? F : never;

function definedFields({ group, ...fields }: Fields) {
  return group === undefined ? fields : { ...fields, group };
}

const limitsOf = fc.record({ maxRunning: fc.integer({ min: 1, max: 5 }), pools: fc.constantFrom({}, { default: 2 }, { big: 1 }) });

test('no limit is ever passed, whatever comes, starts, ends and comes back', () => {
  fc.assert(
    fc.property(limitsOf, fc.array(action, { maxLength: 120 }), (limits, actions) => {
      const world = new World(limits);
      play(world, actions, () => expectLimitsKept(world));
    }),
    { numRuns: 400 },
  );
});

function expectLimitsKept({ active, limits }: World): void {
  expect(active.length).toBeLessThanOrEqual(limits.maxRunning);
  for (const pool of POOLS) {
    const most = (limits.pools as Record<string, number>)[pool] ?? Number.POSITIVE_INFINITY;
    expect(active.filter((run) => run.pool === pool).length).toBeLessThanOrEqual(most);
  }
  for (const { id, slots } of agents) expect(active.filter(({ agent }) => agent === id).length).toBeLessThanOrEqual(slots);
  for (const run of active) {
    const group = active.filter((other) => run.group !== undefined && other.group?.name === run.group.name);
    expect(group.length).toBeLessThanOrEqual(run.group?.limit ?? Number.POSITIVE_INFINITY);
    const task = active.filter((other) => other.task === run.task);
    expect(task.length).toBeLessThanOrEqual(run.maxParallelRuns ?? Number.POSITIVE_INFINITY);
  }
  expect(active.filter(({ crashes, phase }) => crashes > 0 && phase === 'preparing').length).toBeLessThanOrEqual(1);
}

test('the book that is kept decides as one made anew, and the order is the same for the same runs', () => {
  fc.assert(
    fc.property(limitsOf, fc.array(action, { maxLength: 60 }), fc.nat(), (limits, actions, seed) => {
      const world = new World(limits);
      play(world, actions, () => undefined);
      const { runs, nowMs } = world;
      const shuffled = [...runs].sort((a, b) => ((a.number * 7919 + seed) % 101) - ((b.number * 7919 + seed) % 101));
      const once = decideQueue({ runs, agents, limits, nowMs });
      const again = decideQueue({ runs: shuffled, agents, limits, nowMs });
      expect(again.order).toEqual(once.order);
      for (const agent of agents) expect(again.next(agent)).toBe(once.next(agent));
      // What fairness remembers may change the order, never what may start at all.
      expect(new Set(waitingOrder(world.view).map(({ run }) => run))).toEqual(new Set(once.order.map(({ run }) => run)));
      for (const agent of agents) expect(nextRun(world.view, agent) === undefined).toBe(once.next(agent) === undefined);
    }),
    { numRuns: 300 },
  );
});

test('something starts whenever an agent has room and no limit keeps every run', () => {
  fc.assert(
    fc.property(limitsOf, fc.array(action, { maxLength: 100 }), (limits, actions) => {
      const world = new World(limits);
      play(world, actions, () => undefined);
      for (const run of world.active) world.book.remove(run.id, world.nowMs);
      // Nothing is active: whatever waits in a pool can start there, one at least.
      for (const agent of agents) {
        if (world.runs.some(({ pool }) => pool === agent.pool) && !blockedByGroups(world, agent))
          expect(nextRun(world.view, agent)).toBeDefined();
      }
    }),
    { numRuns: 300 },
  );
});

/** Every waiting run of the pool stands behind a run of another pool in its group. */
function blockedByGroups(world: World, agent: QueueAgent): boolean {
  const order = (a: LiveRun, b: LiveRun): number =>
    agedPriority(b.priority, b.createdMs, world.nowMs) - agedPriority(a.priority, a.createdMs, world.nowMs) || a.number - b.number;
  return world.runs
    .filter(({ pool }) => pool === agent.pool)
    .every((run) => {
      const [first] = world.runs.filter(({ group }) => run.group !== undefined && group?.name === run.group.name).sort(order);
      return first !== undefined && first.pool !== agent.pool;
    });
}

test('a single run waits at most one turn of each other task, however many runs those have waiting', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 3_600_000 }),
      fc.nat(50),
      (slots, floods, runMs, before) => {
        const world = new World({ maxRunning: 100, pools: {} });
        const agent: QueueAgent = { id: 'one', pool: 'default', slots };
        const view = () => ({ ...world.view, agents: [agent] });
        const start = (): LiveRun | undefined => {
          const run = nextRun(view(), agent);
          if (run !== undefined) world.book.put({ ...run, phase: 'running', agent: 'one', attempt: 1 }, world.nowMs);
          return run;
        };
        const endOldest = (): void => {
          const [oldest] = [...world.active].sort((a, b) => a.number - b.number);
          if (oldest !== undefined) world.book.remove(oldest.id, world.nowMs);
        };
        for (const [index, count] of floods.entries()) for (let n = 0; n < count; n += 1) world.create({ task: `flood${index}` });
        for (let n = 0; n < slots; n += 1) start();
        for (let n = 0; n < before; n += 1) {
          world.nowMs += runMs;
          endOldest();
          start();
        }
        const single = world.create({ task: 'single' });
        const startedBefore = new Map<string, number>();
        for (;;) {
          world.nowMs += runMs;
          endOldest();
          const started = start();
          if (started === undefined || started.id === single.id) break;
          startedBefore.set(started.owner, (startedBefore.get(started.owner) ?? 0) + 1);
        }
        for (const turns of startedBefore.values()) expect(turns).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 300 },
  );
});
