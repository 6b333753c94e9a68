import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { type Served, serve } from '../lib/served.ts';
import { type DaemonRow, within } from '../lib/table.ts';
import { commitOf, fillRuns, LISTED, TASKS } from './many-runs.ts';

/** list-runs over HTTP: the daemon on a store of 100,000 runs, asked over one connection. */
export async function listRows(folder: string, rounds: number): Promise<readonly DaemonRow[]> {
  const data = join(folder, 'data');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const store = await openSqliteStore({ path: join(data, 'slipway.db') });
  await fillRuns(store);
  await store.close();
  const daemon = await serve(data);
  try {
    await timesOfLists(daemon, 1);
    const times = await timesOfLists(daemon, Math.min(rounds, 5));
    const p99 = at(times, 0.99);
    return [
      {
        work: `list-runs of ${LISTED.toLocaleString('en')} runs over HTTP, any filter, p99`,
        measured: `${p99.toFixed(1)} ms (p50 ${at(times, 0.5).toFixed(1)} ms, ${times.length} lists)`,
        ...within(p99, { must: 50, aim: 15, unit: 'ms' }),
      },
    ];
  } finally {
    await daemon.stop();
  }
}

/** Every combination of two filters, popular, rare and without any match, first and later pages; sorted milliseconds. */
async function timesOfLists(daemon: Served, rounds: number): Promise<readonly number[]> {
  const { next = '' } = await daemon.api<{ next?: string }>('GET', '/api/v1/runs?top=1000');
  const filters: readonly Readonly<Record<string, string>>[] = [
    ...[{}, { cursor: next }, { task: 'task-1' }, { task: `task-${TASKS - 1}` }, { task: 'nobody' }],
    ...[{ status: 'Failed' }, { status: 'Error,Timeout' }, { status: 'Queued' }],
    ...[{ image: 'app-1' }, { image: 'registry.example/app-1:7' }, { image: 'nobody' }],
    ...[{ branch: 'main' }, { branch: 'feature/7' }, { commit: commitOf(7).slice(0, 8) }, { commit: 'ffff' }],
    ...[{ runType: 'AutoBuild' }, { runType: 'AutoRun' }, { archived: 'true' }, { archived: 'false' }],
    ...[{ since: '2000-01-01T00:00:00Z' }, { since: '2200-01-01T00:00:00Z' }, { until: '2000-01-01T00:00:00Z' }],
  ];
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const one of filters) {
      for (const other of filters) {
        const query = new URLSearchParams({ ...one, ...other, top: '15' });
        const start = performance.now();
        await daemon.api('GET', `/api/v1/runs?${query}`);
        times.push(performance.now() - start);
      }
    }
  }
  return times.sort((left, right) => left - right);
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
