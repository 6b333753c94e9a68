import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { median } from './lib/measure.ts';
import { projectRoot } from './lib/parts.ts';
import type { Row } from './lib/table.ts';

/** What a daemon costs. */
export function daemonRows(folder: string, rounds: number): Row[] {
  mkdirSync(folder, { recursive: true });
  return logFollowers(folder, Math.min(rounds, 3));
}

function logFollowers(folder: string, rounds: number): Row[] {
  const lags: number[] = [];
  const peaks: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const out = execFileSync(process.execPath, [join(projectRoot, 'bench/log-followers.ts'), folder], { encoding: 'utf8' });
    const told: { lagMs: number; peakMb: number } = JSON.parse(out);
    lags.push(told.lagMs);
    peaks.push(told.peakMb);
  }
  const work = 'a log at 50 MB/s, 20 followers: ';
  const common = { against: '-', ours: 'in process', theirs: '-' };
  return [
    { ...common, work: `${work}99 % of the bytes follow within`, value: median(lags), must: 250, aim: 100, unit: ' ms' },
    { ...common, work: `${work}peak memory`, value: Math.max(...peaks), must: 300, aim: 200, unit: ' MiB' },
  ];
}
