import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';

/** A whole command as a user types it. `prepare` runs before each timed run and is not counted. */
export interface Side {
  readonly command: string;
  readonly cwd?: string;
  readonly prepare?: (round: number) => void;
}

export interface Comparison {
  readonly oursMs: number;
  readonly theirsMs: number;
  /** Median of the ratios of the pairs: it holds when the machine's speed drifts during the rounds. */
  readonly ratio: number;
}

/** Runs the two sides in turn (one warm-up each), so that both see the same machine; medians of `rounds`. */
export function compare(ours: Side, theirs: Side, rounds: number): Comparison {
  const pairs: { ours: number; theirs: number }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const pair = { ours: timed(ours, round), theirs: timed(theirs, round) };
    if (round > 0) pairs.push(pair);
  }
  return {
    oursMs: median(pairs.map((pair) => pair.ours)),
    theirsMs: median(pairs.map((pair) => pair.theirs)),
    ratio: median(pairs.map((pair) => pair.ours / pair.theirs)),
  };
}

/** Milliseconds of one run of a command; throws with its output when it fails. */
export function timed(side: Side, round: number): number {
  side.prepare?.(round);
  const start = performance.now();
  const result = spawnSync('sh', ['-c', side.command], { cwd: side.cwd, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 });
  const elapsed = performance.now() - start;
  if (result.status !== 0)
    throw new Error(`${side.command}\nexit ${result.status}\n${result.stdout.slice(-2000)}\n${result.stderr.slice(-2000)}`);
  return elapsed;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2;
}

/** The value that so large a share of the values does not exceed; `share` from 0 to 1. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
