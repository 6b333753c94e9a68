import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compare } from './lib/measure.ts';
import { base, task } from './lib/parts.ts';
import type { Row } from './lib/table.ts';

const STEPS = 20;

/** Steps of `true`: what is left is the cost of running containers. */
export function containerRows(folder: string, rounds: number): Row[] {
  const chain = writeTask(
    folder,
    'chain',
    Array.from({ length: STEPS }, () => ({ parallel: false })),
  );
  const wide = writeTask(
    folder,
    'wide',
    Array.from({ length: STEPS }, () => ({ parallel: true })),
  );
  const named = writeTask(
    folder,
    'named',
    Array.from({ length: STEPS }, (_, index) => ({ parallel: true, id: `s${index}` })),
  );
  const single = writeTask(folder, 'single', [{ parallel: false }]);
  const run = `docker run --rm ${base} true`;
  return [
    row(
      `chain of ${STEPS} cmd steps`,
      `shell: ${STEPS} × docker run --rm`,
      chain,
      `for i in $(seq ${STEPS}); do ${run} || exit 1; done`,
      rounds,
      0.65,
      0.5,
    ),
    row(
      `${STEPS} parallel cmd steps`,
      `xargs -P ${STEPS} docker run --rm`,
      wide,
      `seq ${STEPS} | xargs -P ${STEPS} -I{} ${run}`,
      rounds,
      1.15,
      0.8,
    ),
    row(
      `${STEPS} parallel cmd steps that have ids`,
      `xargs -P ${STEPS} docker run --rm`,
      named,
      `seq ${STEPS} | xargs -P ${STEPS} -I{} ${run}`,
      rounds,
      1.15,
      0.8,
    ),
    singleStep(single, run, rounds),
  ];
}

function row(work: string, against: string, file: string, theirs: string, rounds: number, must: number, aim: number): Row {
  const { ratio, oursMs, theirsMs } = compare({ command: `${task} run /dev/null -f ${file} --quiet` }, { command: theirs }, rounds);
  return { work, against, ours: `${oursMs.toFixed(0)} ms`, theirs: `${theirsMs.toFixed(0)} ms`, value: ratio, must, aim, unit: '' };
}

/** The limit for one step is a ratio and a constant: 1.3 × theirs + 100 ms. */
function singleStep(file: string, theirs: string, rounds: number): Row {
  const measured = row('1 cmd step', 'one docker run --rm (must: 1.3 × + 100 ms)', file, theirs, rounds, 0, 1.1);
  const theirsMs = Number.parseFloat(measured.theirs);
  return { ...measured, must: 1.3 + 100 / theirsMs };
}

function writeTask(folder: string, name: string, steps: readonly { readonly parallel: boolean; readonly id?: string }[]): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.yaml`);
  const lines = steps.map(
    (step) => `  - cmd: ${base} true\n${step.id === undefined ? '' : `    id: ${step.id}\n`}${step.parallel ? '    when: ["-"]\n' : ''}`,
  );
  writeFileSync(file, `version: v1.1.0\nsteps:\n${lines.join('')}`);
  return file;
}
