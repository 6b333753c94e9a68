import { performance } from 'node:perf_hooks';
import { createSchedule, type ScheduledStep } from '../src/run/schedule.ts';
import { median } from './lib/measure.ts';
import { randomNumbers } from './lib/random.ts';
import type { Row } from './lib/table.ts';

const NODES = 10_000;

/** The pure schedule on a random graph: microseconds a node from its making to its last step. */
export function scheduleRows(_folder: string, rounds: number): Row[] {
  const steps = randomGraph(NODES, 1);
  const perNode: number[] = [];
  for (let round = 0; round < rounds + 3; round += 1) {
    const start = performance.now();
    walk(steps);
    perNode.push(((performance.now() - start) * 1000) / NODES);
  }
  return [
    {
      work: `schedule, ${NODES.toLocaleString('en')}-node random graph`,
      against: '-',
      ours: 'a node',
      theirs: '-',
      value: median(perNode.slice(3)),
      must: 20,
      aim: 5,
      unit: ' µs',
    },
  ];
}

function walk(steps: readonly ScheduledStep[]): void {
  const schedule = createSchedule(steps, { keepGoing: false });
  const queue = [...schedule.ready()];
  for (let next = 0; next < queue.length; next += 1) {
    const id = queue[next] ?? '';
    schedule.started(id);
    queue.push(...schedule.finished(id, { status: 'succeeded', exitCode: 0 }).ready);
  }
  if (!schedule.done || queue.length !== steps.length) throw new Error('the schedule left steps behind');
}

/** Up to four predecessors among the earlier steps; the same graph for the same seed. */
function randomGraph(size: number, seed: number): ScheduledStep[] {
  const random = randomNumbers(seed);
  const needs = Array.from({ length: size }, (_, index) => {
    const count = index === 0 ? 0 : Math.floor(random() * 5);
    return [...new Set(Array.from({ length: count }, () => Math.floor(random() * index)))];
  });
  const weights = new Array<number>(size).fill(1);
  for (let index = size - 1; index >= 0; index -= 1) {
    for (const need of needs[index] ?? []) weights[need] = Math.max(weights[need] ?? 1, (weights[index] ?? 1) + 1);
  }
  return needs.map((list, index) => ({ id: `s${index}`, needs: list.map((need) => `s${need}`), weight: weights[index] ?? 1 }));
}
