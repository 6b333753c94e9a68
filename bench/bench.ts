// npm run bench [-- containers|builds|program|schedule|daemon|triggers ...] [--rounds N]: prints the tables of docs/performance.md.
// daemon:idle, triggers:burst and the like are one part of theirs.
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
import { triggerRows } from './triggers.ts';

const groups: Readonly<Record<string, (folder: string, rounds: number) => Row[] | Promise<Row[]>>> = {
  containers: containerRows,
  builds: buildRows,
  program: programRows,
  schedule: scheduleRows,
};

const served: Readonly<Record<string, { readonly title: string; readonly rows: typeof daemonRows }>> = {
  daemon: { title: 'Daemon', rows: daemonRows },
  triggers: { title: 'Triggers', rows: triggerRows },
};

const args = process.argv.slice(2);
const roundsAt = args.indexOf('--rounds');
const rounds = roundsAt === -1 ? 7 : Number(args.splice(roundsAt, 2)[1]);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds needs a whole number from 1');
const chosen = args.length === 0 ? [...Object.keys(groups), ...Object.keys(served)] : args;

const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
try {
  usePublished();
  useDockerClient(folder);
  const rows: Row[] = [];
  const tables = new Map<string, DaemonRow[]>();
  for (const name of chosen) {
    process.stderr.write(`measuring ${name}, medians of ${rounds}\n`);
    const [word = '', ...parts] = name.split(':');
    const group = served[word];
    if (group !== undefined) {
      const measured = await group.rows(join(folder, word), rounds, parts);
      tables.set(group.title, [...(tables.get(group.title) ?? []), ...measured]);
      continue;
    }
    const commands = groups[name];
    if (commands === undefined) {
      throw new Error(`no group of benchmarks is called ${name}; there are ${[...Object.keys(groups), ...Object.keys(served)].join(', ')}`);
    }
    rows.push(...(await commands(join(folder, name), rounds)));
  }
  if (rows.length > 0) process.stdout.write(`${renderTable(rows)}\n`);
  for (const [title, measured] of tables) process.stdout.write(`\n${title}\n\n${renderDaemonTable(measured)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
