import PQueue from 'p-queue';
import type { RunStarter } from '../../model/ports/run-starter.ts';

/**
 * As `runs`, with so many firings at once. A thousand events may wait for one look at their repository; the runs that they make are not written in
 * one go when it is there, which would keep everything else of the daemon waiting.
 */
export function pacedRuns(runs: RunStarter, atOnce: number): RunStarter {
  const queue = new PQueue({ concurrency: atOnce });
  return {
    fire: (order) => queue.add(() => runs.fire(order)),
    join: (run, joining) => runs.join(run, joining),
    hold: (run, hold) => runs.hold(run, hold),
    cancel: (run, reason) => runs.cancel(run, reason),
  };
}
