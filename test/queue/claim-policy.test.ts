import { performance } from 'node:perf_hooks';
import { describe, expect, test } from 'vitest';
import { AGING_STEP_MS } from '../../src/queue/admission.ts';
import { decideQueue, type QueueInput } from '../../src/queue/claim-policy.ts';
import { waitingRun } from './live-runs.ts';

const agent = { id: 'agent1', pool: 'default', slots: 4 };

function decide(input: Partial<QueueInput> & Pick<QueueInput, 'runs'>) {
  return decideQueue({ agents: [agent], limits: { maxRunning: 100, pools: {} }, nowMs: 1000, ...input });
}

describe('the order of waiting runs', () => {
  test('is first in, first out inside a task', () => {
    const { order, next } = decide({ runs: [3, 1, 2].map((number) => waitingRun(number, { task: 'a' })) });
    expect(order.map(({ run }) => run)).toEqual(['r1', 'r2', 'r3']);
    expect(order.map(({ position }) => position)).toEqual([1, 2, 3]);
    expect(next(agent)).toBe('r1');
  });

  test('takes tasks in turns inside a priority', () => {
    const runs = [1, 2, 3, 4].map((number) => waitingRun(number, { task: number === 4 ? 'b' : 'a' }));
    expect(decide({ runs }).order.map(({ run }) => run)).toEqual(['r1', 'r4', 'r2', 'r3']);
  });

  test('puts a task with fewer active runs first', () => {
    const active = waitingRun(1, { task: 'a', phase: 'running', agent: 'agent1' });
    const { next } = decide({ runs: [active, waitingRun(2, { task: 'a' }), waitingRun(3, { task: 'b' })] });
    expect(next(agent)).toBe('r3');
  });

  test('takes the larger priority first, until a smaller one has waited long', () => {
    const old = waitingRun(1, { task: 'a', priority: 0 });
    const urgent = waitingRun(2, { task: 'b', priority: 10 });
    expect(decide({ runs: [old, urgent], nowMs: 10 * AGING_STEP_MS }).next(agent)).toBe('r2');
    const later = { ...urgent, createdMs: 10 * AGING_STEP_MS + 1 };
    expect(decide({ runs: [old, later], nowMs: 11 * AGING_STEP_MS + 1 }).next(agent)).toBe('r1');
  });
});

describe('what a waiting run is told', () => {
  const reasons = (input: Parameters<typeof decide>[0]) => decide(input).order.map(({ reason, because }) => `${reason}: ${because}`);

  test('a full group', () => {
    const group = { name: 'deploy', limit: 1 };
    const runs = [waitingRun(1, { task: 'a', group, phase: 'running', agent: 'agent1' }), waitingRun(2, { task: 'b', group })];
    expect(reasons({ runs })).toEqual(['group-full: waits for r1: at most 1 run of concurrency group "deploy" at once']);
    expect(decide({ runs }).next(agent)).toBeUndefined();
  });

  test('a task at its limit', () => {
    const runs = [1, 2, 3].map((number) =>
      waitingRun(number, { task: 'a', maxParallelRuns: 1, phase: number === 1 ? 'running' : 'queued' }),
    );
    expect(reasons({ runs })).toEqual(Array(2).fill('task-limit: waits for r1: at most 1 run of task "a" at once'));
  });

  test('untrusted runs, which keep no trusted one: neither by their group, nor by their task, nor by having come before', () => {
    const group = { name: 'app', limit: 1 };
    const forked = { task: 'a', group, maxParallelRuns: 1, trust: 'untrusted' as const, owner: 'untrusted runs of task a' };
    const trusted = waitingRun(9, { task: 'a', group, maxParallelRuns: 1 });
    const running = waitingRun(1, { ...forked, phase: 'running', agent: 'agent1' });
    const { order, next } = decide({ runs: [running, waitingRun(2, forked), trusted] });
    expect(next(agent)).toBe('r9');
    expect(order.map(({ run, reason }) => [run, reason])).toEqual([
      ['r9', 'starting'],
      ['r2', 'group-full'],
    ]);
    expect(decide({ runs: [{ ...trusted, phase: 'running' }, waitingRun(10, forked)] }).next(agent)).toBeUndefined();
    expect(decide({ runs: [waitingRun(2, forked)] }).next(agent)).toBe('r2');
  });

  test('a hold, which keeps nobody else', () => {
    const group = { name: 'deploy', limit: 1 };
    const runs = [
      waitingRun(1, { task: 'a', group, priority: 100, held: 'waits for run r9' }),
      waitingRun(2, { task: 'b', group }),
      waitingRun(3, { task: 'a', maxParallelRuns: 1 }),
    ];
    const { order, next } = decide({ runs });
    expect(order.map(({ run, position, reason, because }) => [run, position, reason, because])).toEqual([
      ['r2', 1, 'starting', 'starts as soon as the agent asks for it'],
      ['r3', 2, 'starting', 'starts as soon as the agent asks for it'],
      ['r1', undefined, 'held', 'waits for run r9'],
    ]);
    expect(next(agent)).toBe('r2');
    expect(decide({ runs: runs.slice(0, 1) }).next(agent)).toBeUndefined();
  });

  test('the cap of runs that nobody asked for', () => {
    const background = { background: true, priority: 50 };
    const runs = [
      waitingRun(1, { task: 'a', ...background, phase: 'running', agent: 'agent1' }),
      waitingRun(2, { task: 'b', ...background }),
      waitingRun(3, { task: 'c', priority: -100 }),
    ];
    const limits = { maxRunning: 100, pools: {}, maxBackground: 1 };
    expect(reasons({ runs, limits })).toEqual([
      'daemon-full: the daemon rebuilds for base images in at most 1 run at once',
      'starting: starts as soon as the agent asks for it',
    ]);
    expect(decide({ runs, limits }).next(agent)).toBe('r3');
  });

  test('a queue that is paused, a pool without agents, a full daemon, busy agents, and its turn', () => {
    const runs = [waitingRun(1, { task: 'a' }), waitingRun(2, { task: 'b' })];
    expect(reasons({ runs, paused: 'upgrade' })[0]).toBe('paused: the queue is paused: upgrade');
    expect(reasons({ runs, agents: [] })[0]).toBe('no-agent: no agent of pool "default" is connected');
    expect(reasons({ runs, limits: { maxRunning: 1, pools: {} } })).toEqual([
      'starting: starts as soon as the agent asks for it',
      'daemon-full: the daemon runs at most 1 run at once',
    ]);
    expect(reasons({ runs, limits: { maxRunning: 9, pools: { default: 1 } } })[1]).toBe(
      'daemon-full: pool "default" runs at most 1 run at once',
    );
    expect(reasons({ runs, agents: [{ ...agent, slots: 1 }] })[1]).toBe(
      'agent-busy: every agent of pool "default" has as many runs as it takes',
    );
  });

  test('a run that broke its agent waits while another such run is prepared', () => {
    const suspects = [1, 2].map((number) =>
      waitingRun(number, { task: `t${number}`, crashes: 1, phase: number === 1 ? 'preparing' : 'queued' }),
    );
    const innocent = waitingRun(3, { task: 'c' });
    expect(decide({ runs: [...suspects, innocent] }).next(agent)).toBe('r3');
    expect(reasons({ runs: suspects })[0]).toMatch(/tried again, alone, after r1/);
  });
});

test('an earlier run with a stricter limit is not overtaken for ever by its task and its group', () => {
  const busy = waitingRun(1, { task: 'a', maxParallelRuns: 5, group: { name: 'g', limit: 5 }, phase: 'running', agent: 'agent1' });
  const strictTask = waitingRun(2, { task: 'a', maxParallelRuns: 1 });
  const lax = waitingRun(3, { task: 'a', maxParallelRuns: 5 });
  expect(decide({ runs: [busy, strictTask, lax] }).next(agent)).toBeUndefined();
  const strictGroup = waitingRun(4, { task: 'b', group: { name: 'g', limit: 1 } });
  const laxGroup = waitingRun(5, { task: 'c', group: { name: 'g', limit: 5 } });
  expect(decide({ runs: [busy, strictGroup, laxGroup] }).next(agent)).toBeUndefined();
});

test('the time of a decision grows with the waiting runs, not with their square', () => {
  const quickest = (count: number): number => {
    const runs = Array.from({ length: count }, (_, index) =>
      waitingRun(index + 1, { task: `t${index % 50}`, group: { name: `g${index % 7}`, limit: 1 }, maxParallelRuns: 3 }),
    );
    const timings = Array.from({ length: 7 }, () => {
      const start = performance.now();
      decide({ runs }).next(agent);
      return performance.now() - start;
    });
    return Math.min(...timings);
  };
  quickest(1000);
  // Building the index, the whole order with its reasons, and a choice: sixteen times the runs take about sixteen times as long, squared 256 times.
  expect(quickest(16_000) / quickest(1000)).toBeLessThan(100);
});
