import type { LiveRun } from '../../src/queue/live-run.ts';

/** A waiting run of a task; everything else as a fresh run has it. */
export function waitingRun(number: number, fields: Partial<LiveRun> & { readonly task: string }): LiveRun {
  return {
    id: `r${number}`,
    number,
    phase: 'queued',
    attempt: 0,
    owner: `task ${fields.task}`,
    priority: 0,
    pool: 'default',
    createdMs: number,
    crashes: 0,
    trust: 'trusted',
    ...fields,
  };
}
