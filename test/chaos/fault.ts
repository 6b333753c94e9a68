import type { Random } from './random.ts';

export interface FaultOptions {
  readonly rounds: number;
  readonly random: Random;
  /** Less of it, where a minute counts. */
  readonly brief: boolean;
}

export interface FaultReport {
  readonly runs: number;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  /** Numbers worth seeing, for people. */
  readonly notes: string;
}

/** One row of the table: does its worst `rounds` times and tells what that cost. */
export interface Fault {
  readonly name: string;
  readonly about: string;
  run(options: FaultOptions): Promise<FaultReport>;
}
