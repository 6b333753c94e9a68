import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compare, median, timed } from './lib/measure.ts';
import { base, projectRoot, task } from './lib/parts.ts';
import type { Row } from './lib/table.ts';

/** The program itself: start-up, planning of a very large file, and a flood of output. */
export function programRows(folder: string, rounds: number): Row[] {
  mkdirSync(folder, { recursive: true });
  return [version(rounds), ...largePlan(folder, rounds), ...flood(folder, Math.min(rounds, 3))];
}

function version(rounds: number): Row {
  const many = (command: string): string => `for i in 1 2 3 4 5; do ${command} > /dev/null; done`;
  const { ratio, oursMs, theirsMs } = compare(
    { command: many(`${task} --version`) },
    { command: many(`${process.execPath} -e 0`) },
    rounds,
  );
  return {
    work: 'task --version',
    against: 'node -e 0',
    ours: perRun(oursMs),
    theirs: perRun(theirsMs),
    value: ratio,
    must: 2,
    aim: 1.4,
    unit: '',
  };
}

function perRun(milliseconds: number): string {
  return `${(milliseconds / 5).toFixed(0)} ms`;
}

function largePlan(folder: string, rounds: number): Row[] {
  const file = join(folder, 'large.yaml');
  const steps = Array.from(
    { length: 10_000 },
    (_, index) => `  - id: s${index}\n    cmd: ${base} echo ${index}\n${index % 7 === 0 ? '    when: ["-"]\n' : ''}`,
  );
  writeFileSync(file, `version: v1.1.0\nsteps:\n${steps.join('')}`);
  const peak = join(folder, 'peak');
  const main = `BENCH_PEAK=${peak} ${process.execPath} --import ${projectRoot}/bench/lib/peak-memory.mjs ${projectRoot}/src/main.ts`;
  const seconds: number[] = [];
  const mebibytes: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    seconds.push(timed({ command: `${main} plan -f ${file} --output json > /dev/null` }, round) / 1000);
    mebibytes.push(Number(readFileSync(peak, 'utf8')) / 1024);
  }
  const common = { work: 'lint + plan of 10,000 steps', against: '-', theirs: '-' };
  return [
    { ...common, ours: 'time', value: median(seconds.slice(1)), must: 0.6, aim: 0.25, unit: ' s' },
    { ...common, ours: 'peak memory', value: median(mebibytes.slice(1)), must: 250, aim: 250, unit: ' MB' },
  ];
}

function flood(folder: string, rounds: number): Row[] {
  const shell = 'yes 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde | head -c 1073741824';
  const file = join(folder, 'flood.yaml');
  writeFileSync(file, `version: v1.0.0\nsteps:\n  - id: flood\n    cmd: ${base} sh -c '${shell}'\n`);
  const logs = join(folder, 'logs');
  const theirs = join(folder, 'theirs.log');
  const peak = join(folder, 'peak-flood');
  const main = `BENCH_PEAK=${peak} ${process.execPath} --import ${projectRoot}/bench/lib/peak-memory.mjs ${projectRoot}/src/main.ts`;
  const { ratio, oursMs, theirsMs } = compare(
    { command: `rm -rf ${logs}; ${main} run /dev/null -f ${file} --quiet --log-dir ${logs}` },
    { command: `docker run --rm ${base} sh -c '${shell}' > ${theirs}` },
    rounds,
  );
  if (statSync(theirs).size !== 1_073_741_824) throw new Error('the shell side lost output');
  const common = { work: '1 GiB of step output to a log file', against: 'docker run … > file' };
  return [
    { ...common, ours: `${oursMs.toFixed(0)} ms`, theirs: `${theirsMs.toFixed(0)} ms`, value: ratio, must: 1.5, aim: 1.1, unit: '' },
    { ...common, ours: 'peak memory', theirs: '-', value: Number(readFileSync(peak, 'utf8')) / 1024, must: 250, aim: 250, unit: ' MB' },
  ];
}
