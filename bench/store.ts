import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { PushedImage } from '../src/model/image.ts';
import type { RunOutcome, RunQuery, Store } from '../src/model/ports/store.ts';
import type { RunEvent } from '../src/model/run-event.ts';
import { type RunRequest, TERMINAL_STATUSES } from '../src/model/run-record.ts';
import { openSqliteStore } from '../src/store/sqlite/open-store.ts';
import type { Row } from './lib/table.ts';

const LISTED = 100_000;
const STORED = 1000;
const TASKS = 200;

/** The store of the daemon: a run's way through it, and lists of many runs with every kind of filter. */
export async function storeRows(folder: string, rounds: number): Promise<Row[]> {
  mkdirSync(folder, { recursive: true });
  const common = { against: '-', theirs: '-', unit: ' ms' };
  const store = await openSqliteStore({ path: join(folder, 'slipway.db') });
  try {
    const perRun = await lifeOfRuns(store);
    await fill(store);
    const times = await timesOfLists(store, rounds);
    return [
      { ...common, work: `${STORED} runs through the store, 8 at once`, ours: 'a run', value: perRun, must: 1000 / 150, aim: 1000 / 500 },
      {
        ...common,
        work: `list-runs of ${LISTED.toLocaleString('en')} runs, all filters`,
        ours: 'p50',
        value: at(times, 0.5),
        must: 50,
        aim: 15,
      },
      {
        ...common,
        work: `list-runs of ${LISTED.toLocaleString('en')} runs, all filters`,
        ours: 'p99',
        value: at(times, 0.99),
        must: 50,
        aim: 15,
      },
    ];
  } finally {
    await store.close();
  }
}

/** Milliseconds a run: stored, claimed, planned, told of in three messages, ended. */
async function lifeOfRuns({ runs }: Store): Promise<number> {
  let left = STORED;
  const work = async (): Promise<void> => {
    for (; left > 0; ) {
      left -= 1;
      const { id } = await runs.create(requestOf(left), undefined);
      await runs.claim(id, { agent: 'bench', from: 0 });
      await runs.checkpoint(id, 1, { plan: Buffer.alloc(2000) });
      for (const seq of [1, 2, 3]) await runs.append(id, 1, [note(id, seq)], { steps: [], status: 'Running' });
      await runs.finish(id, 1, outcomeOf(left));
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: 8 }, work));
  return (performance.now() - start) / STORED;
}

async function fill({ runs }: Store): Promise<void> {
  for (let first = STORED; first < LISTED; first += 250) {
    const numbers = Array.from({ length: 250 }, (_, index) => first + index);
    const stored = await Promise.all(numbers.map((number) => runs.create(requestOf(number), undefined)));
    await Promise.all(stored.map(({ id, number }) => runs.finish(id, undefined, outcomeOf(number))));
    await Promise.all(stored.filter(({ number }) => number % 50 === 0).map(({ id }) => runs.setArchived(id, true)));
  }
}

/** Every combination of two filters, popular, rare and without any match, first and later pages; sorted milliseconds. */
async function timesOfLists({ runs }: Store, rounds: number): Promise<readonly number[]> {
  const filters: readonly Partial<RunQuery>[] = [
    ...[{}, { before: LISTED / 2 }, { task: 'task-1' }, { task: `task-${TASKS - 1}` }, { task: 'nobody' }],
    ...[{ status: ['Failed'] as const }, { status: ['Error', 'Timeout'] as const }, { status: ['Queued'] as const }],
    ...[{ image: 'app-1' }, { image: 'registry.example/app-1:7' }, { image: 'nobody' }],
    ...[{ branch: 'main' }, { branch: 'feature/7' }, { commit: commitOf(7).slice(0, 8) }, { commit: 'ffff' }],
    ...[{ runType: 'AutoBuild' }, { runType: 'AutoRun' }, { archived: true }, { archived: false }],
    ...[{ since: '2000-01-01T00:00:00Z' }, { since: '2200-01-01T00:00:00Z' }, { until: '2000-01-01T00:00:00Z' }],
    ...[{ visibleTasks: (task: string) => task === 'task-9' }, { visibleTasks: (task: string) => task > 'task-5' }],
  ];
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const one of filters) {
      for (const other of filters) {
        const start = performance.now();
        await runs.list({ ...one, ...other, limit: 15 });
        times.push(performance.now() - start);
      }
    }
  }
  return times.sort((left, right) => left - right);
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Half of the runs are of three tasks. */
function taskOf(number: number): number {
  return number % 2 === 0 ? (number / 2) % 3 : number % TASKS;
}

function commitOf(number: number): string {
  return ((number % 2000) * 2_654_435_761).toString(16).padStart(12, '0').slice(-12).repeat(3);
}

function requestOf(number: number): RunRequest {
  return {
    ...{ task: `task-${taskOf(number)}`, runType: number % 3 === 0 ? 'AutoRun' : 'QuickRun', cpu: 2, timeout: 3600, trust: 'trusted' },
    step: { type: 'FileTask', taskFilePath: 'acb.yaml', contextPath: 'https://git.example/app.git', values: [] },
    ...{ platform: { os: 'linux', architecture: 'amd64' }, registry: 'registry.example', credentials: [], agentPoolName: 'default' },
    ...{ policy: { privileged: false, hostMounts: false, dockerSocket: false }, priority: 0, extended: false, noPush: false },
    ...{ keepGoing: false, env: [], causes: [{ kind: 'manual', principal: 'token ci', from: '192.0.2.1' }] },
    variables: { Branch: number % 5 === 0 ? `feature/${number % 400}` : 'main', Commit: commitOf(number) },
  };
}

function outcomeOf(number: number): RunOutcome {
  const status = number % 2 === 0 ? 'Succeeded' : (TERMINAL_STATUSES[number % TERMINAL_STATUSES.length] ?? 'Failed');
  const reference = `registry.example/app-${taskOf(number)}:${number % 50}`;
  const images: PushedImage[] = [{ step: 'push', reference, digest: `sha256:${number.toString(16).padStart(64, '0')}` }];
  return { status, images, steps: [], built: [], baseImages: [], dependencies: [] };
}

function note(run: string, seq: number): RunEvent {
  return {
    version: 1,
    seq,
    at: '2030-01-02T03:04:05.000Z',
    run,
    type: 'note',
    level: 'info',
    message: 'something that a person should know',
  };
}
