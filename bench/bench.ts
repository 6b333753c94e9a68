// npm run bench [-- containers|builds|program|schedule|daemon ...] [--rounds N]: prints the tables of docs/performance.md.
// daemon:idle and the like is one part of the daemon's.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildRows } from './builds.ts';
import { containerRows } from './containers.ts';
import { daemonRows } from './daemon.ts';
import { useDockerClient, usePublished } from './lib/parts.ts';
import { type DaemonRow, type Row, renderDaemonTable, renderTable } from './lib/table.ts';
import { programRows } from './program.ts';
import { scheduleRows } from './schedule.ts';

const groups: Readonly<Record<string, (folder: string, rounds: number) => Row[] | Promise<Row[]>>> = {
  containers: containerRows,
  builds: buildRows,
  program: programRows,
  schedule: scheduleRows,
};

const args = process.argv.slice(2);
const roundsAt = args.indexOf('--rounds');
const rounds = roundsAt === -1 ? 7 : Number(args.splice(roundsAt, 2)[1]);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds needs a whole number from 1');
const chosen = args.length === 0 ? [...Object.keys(groups), 'daemon'] : args;

const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
try {
  usePublished();
  useDockerClient(folder);
  const rows: Row[] = [];
  const daemon: DaemonRow[] = [];
  for (const name of chosen) {
    process.stderr.write(`measuring ${name}, medians of ${rounds}\n`);
    if (name === 'daemon' || name.startsWith('daemon:')) {
      daemon.push(...(await daemonRows(join(folder, 'daemon'), rounds, name.split(':').slice(1))));
      continue;
    }
    const group = groups[name];
    if (group === undefined)
      throw new Error(`no group of benchmarks is called ${name}; there are ${Object.keys(groups).join(', ')}, daemon`);
    rows.push(...(await group(join(folder, name), rounds)));
  }
  if (rows.length > 0) process.stdout.write(`${renderTable(rows)}\n`);
  if (daemon.length > 0) process.stdout.write(`\nDaemon\n\n${renderDaemonTable(daemon)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
