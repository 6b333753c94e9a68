import { parseArgs } from 'node:util';
import { FAULTS, type Row, runFault } from './table.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, rounds: { type: 'string' }, fault: { type: 'string', multiple: true } },
});
const seed = Number(values.seed);
const chosen = FAULTS.filter(([{ name }]) => values.fault === undefined || values.fault.includes(name));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

if (chosen.length === 0 || !Number.isInteger(seed)) {
  say(`Usage: npm run chaos [-- --seed N --rounds N --fault NAME]; faults: ${FAULTS.map(([{ name }]) => JSON.stringify(name)).join(', ')}`);
  process.exit(2);
}

say(`seed ${seed}`);
const columns = ['fault', 'rounds', 'runs', 'lost', 'doubled', 'seconds', 'notes'];
const widths = [19, 6, 5, 5, 8, 8, 0];
const line = (cells: readonly string[]): string =>
  cells
    .map((cell, index) => cell.padEnd(widths[index] ?? 0))
    .join('  ')
    .trimEnd();
say(line(columns));
const rows: Row[] = [];
for (const [fault, rounds] of chosen) {
  const row = await runFault(fault, { rounds: values.rounds === undefined ? rounds : Number(values.rounds), seed, brief: false });
  rows.push(row);
  say(line([row.fault, ...[row.rounds, row.runs, row.lost.length, row.doubled.length].map(String), row.seconds.toFixed(1), row.notes]));
}
const problems = rows.flatMap(({ fault, lost, doubled }) => [...lost, ...doubled].map((problem) => `${fault}: ${problem}`));
for (const problem of problems) say(`  ✘ ${problem}`);
const total = (pick: (row: Row) => number): number => rows.reduce((sum, row) => sum + pick(row), 0);
say(`${total(({ runs }) => runs)} runs, ${total(({ lost }) => lost.length)} lost, ${total(({ doubled }) => doubled.length)} doubled`);
process.exitCode = problems.length === 0 ? 0 : 1;
