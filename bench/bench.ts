// npm run bench [-- containers|builds|program|schedule|daemon ...] [--rounds N]: prints the table of docs/performance.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildRows } from './builds.ts';
import { containerRows } from './containers.ts';
import { daemonRows } from './daemon.ts';
import { daemonQueueRows } from './daemon-queue.ts';
import { useDockerClient, usePublished } from './lib/parts.ts';
import { type Row, renderTable } from './lib/table.ts';
import { programRows } from './program.ts';
import { scheduleRows } from './schedule.ts';
import { storeRows } from './store.ts';

const groups: Readonly<Record<string, (folder: string, rounds: number) => Row[] | Promise<Row[]>>> = {
  containers: containerRows,
  builds: buildRows,
  program: programRows,
  schedule: scheduleRows,
  queue: daemonQueueRows,
  store: storeRows,
  daemon: daemonRows,
};

const args = process.argv.slice(2);
const roundsAt = args.indexOf('--rounds');
const rounds = roundsAt === -1 ? 7 : Number(args.splice(roundsAt, 2)[1]);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds needs a whole number from 1');
const chosen = args.length === 0 ? Object.keys(groups) : args;

const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
try {
  usePublished();
  useDockerClient(folder);
  const rows: Row[] = [];
  for (const name of chosen) {
    const group = groups[name];
    if (group === undefined) throw new Error(`no group of benchmarks is called ${name}; there are ${Object.keys(groups).join(', ')}`);
    process.stderr.write(`measuring ${name}, medians of ${rounds}\n`);
    rows.push(...(await group(join(folder, name), rounds)));
  }
  process.stdout.write(`${renderTable(rows)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
