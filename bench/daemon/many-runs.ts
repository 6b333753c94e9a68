import type { PushedImage } from '../../src/model/image.ts';
import type { RunOutcome, Store } from '../../src/model/ports/store.ts';
import { type RunRequest, TERMINAL_STATUSES } from '../../src/model/run-record.ts';
import { runRequest } from '../../test/contract/store-values.ts';

export const LISTED = 100_000;
export const TASKS = 200;
const AT_ONCE = 250;

/** Ended runs of many tasks, branches, commits and images; half of them are of three tasks. */
export async function fillRuns({ runs }: Store): Promise<void> {
  for (let first = 0; first < LISTED; first += AT_ONCE) {
    const numbers = Array.from({ length: AT_ONCE }, (_, index) => first + index);
    const stored = await Promise.all(numbers.map((number) => runs.create({ request: requestOf(number) })));
    await Promise.all(stored.map(({ id, number }) => runs.finish(id, undefined, outcomeOf(number))));
    await Promise.all(stored.filter(({ number }) => number % 50 === 0).map(({ id }) => runs.setArchived(id, true)));
  }
}

function taskOf(number: number): number {
  return number % 2 === 0 ? (number / 2) % 3 : number % TASKS;
}

export function commitOf(number: number): string {
  return ((number % 2000) * 2_654_435_761).toString(16).padStart(12, '0').slice(-12).repeat(3);
}

function requestOf(number: number): RunRequest {
  return runRequest({
    ...{ task: `task-${taskOf(number)}`, runType: number % 3 === 0 ? 'AutoRun' : 'QuickRun' },
    variables: { Branch: number % 5 === 0 ? `feature/${number % 400}` : 'main', Commit: commitOf(number) },
  });
}

function outcomeOf(number: number): RunOutcome {
  const status = number % 2 === 0 ? 'Succeeded' : (TERMINAL_STATUSES[number % TERMINAL_STATUSES.length] ?? 'Failed');
  const reference = `registry.example/app-${taskOf(number)}:${number % 50}`;
  const images: PushedImage[] = [{ step: 'push', reference, digest: `sha256:${number.toString(16).padStart(64, '0')}` }];
  return { status, images, steps: [], built: [], baseImages: [], dependencies: [] };
}
