import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compare, type Side } from './lib/measure.ts';
import { base, localRegistry, task } from './lib/parts.ts';
import type { Row } from './lib/table.ts';

/** Builds and pushes of small images, once with new content each time and once with nothing changed. */
export function buildRows(folder: string, rounds: number): Row[] {
  return [
    buildRow(folder, rounds, { images: 1, cold: true, must: 1.1, aim: 1.0 }),
    buildRow(folder, rounds, { images: 1, cold: false, must: 1.5, aim: 1.0 }),
    buildRow(folder, rounds, { images: 4, cold: true, must: 1.05, aim: 0.9 }),
    buildRow(folder, rounds, { images: 4, cold: false, must: 1.1, aim: 0.6 }),
  ];
}

interface BuildCase {
  readonly images: number;
  readonly cold: boolean;
  readonly must: number;
  readonly aim: number;
}

function buildRow(folder: string, rounds: number, { images, cold, must, aim }: BuildCase): Row {
  const registry = localRegistry();
  const ours = prepareSide(join(folder, `ours-${images}-${cold}`), images, cold, 'ours');
  const theirs = prepareSide(join(folder, `theirs-${images}-${cold}`), images, cold, 'theirs');
  writeTaskFile(ours.cwd, images, registry);
  const shell = Array.from({ length: images }, (_, index) => {
    const tag = `${registry}/bench/theirs-${images}-${index}:1`;
    return `(DOCKER_BUILDKIT=1 docker build -q -t ${tag} image-${index} && docker push -q ${tag}) & pids="$pids $!"`;
  });
  const command = `pids=''; ${shell.join('; ')}; for pid in $pids; do wait $pid || exit 1; done`;
  const { ratio, oursMs, theirsMs } = compare({ ...ours, command: `${task} run . -f task.yaml --quiet` }, { ...theirs, command }, rounds);
  return {
    work: `${images} image${images > 1 ? 's in parallel' : ''} built and pushed, ${cold ? 'cold' : 'nothing changed'}`,
    against: 'shell with BuildKit',
    ours: `${oursMs.toFixed(0)} ms`,
    theirs: `${theirsMs.toFixed(0)} ms`,
    value: ratio,
    must,
    aim,
    unit: '',
  };
}

function prepareSide(cwd: string, images: number, cold: boolean, name: string): Omit<Side, 'command'> & { readonly cwd: string } {
  const write = (round: number): void => {
    for (let index = 0; index < images; index += 1) {
      const folder = join(cwd, `image-${index}`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(
        join(folder, 'Dockerfile'),
        `FROM ${localRegistry()}/${base}\nCOPY content /content\nRUN sha256sum /content > /sum\nCMD ["cat", "/sum"]\n`,
      );
      writeFileSync(join(folder, 'content'), `${name} ${index} ${cold ? `${process.pid} ${round}` : 'same'}\n`);
    }
  };
  write(0);
  return { cwd, ...(cold ? { prepare: write } : {}) };
}

function writeTaskFile(folder: string, images: number, registry: string): void {
  const steps = Array.from({ length: images }, (_, index) => {
    const tag = `${registry}/bench/ours-${images}-${index}:1`;
    return `  - id: build-${index}\n    build: -t ${tag} image-${index}\n    when: ["-"]\n  - id: push-${index}\n    push: ["${tag}"]\n    when: [build-${index}]\n`;
  });
  writeFileSync(join(folder, 'task.yaml'), `version: v1.0.0\nsteps:\n${steps.join('')}`);
}
