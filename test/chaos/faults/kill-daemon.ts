import { setTimeout as pause } from 'node:timers/promises';
import type { TestDaemon } from '../../support/daemon.ts';
import { startChaosDaemon } from '../chaos-daemon.ts';
import type { Fault, FaultOptions, FaultReport } from '../fault.ts';
import { judgeCounting, startCounting } from '../workload.ts';

const RUNS_A_ROUND = 4;

/** SIGKILL while steps run, the daemon starts again, and everything is compared. */
export const killDaemon: Fault = {
  name: 'kill -9',
  about: 'SIGKILL of the daemon at a random instant while steps run',
  run: (options) => manyEnds(options, (daemon) => daemon.kill()),
};

/** The same, and once more while the next start is under way. */
export const killStarting: Fault = {
  name: 'kill -9 at start',
  about: 'a second SIGKILL while the daemon takes over what the first left',
  run: (options) =>
    manyEnds(options, async (daemon) => {
      await daemon.kill();
      await daemon.start();
      await pause(options.random.between(0, 400));
      await daemon.kill();
    }),
};

export const terminateDaemon: Fault = {
  name: 'SIGTERM',
  about: 'an orderly restart whose grace is shorter than the steps',
  run: (options) =>
    manyEnds(options, async (daemon) => {
      const code = await daemon.stop();
      if (code !== 0) throw new Error(`the daemon ended with ${code}:\n${daemon.stderr}`);
    }),
};

async function manyEnds({ rounds, random }: FaultOptions, end: (daemon: TestDaemon) => Promise<void>): Promise<FaultReport> {
  await using daemon = await startChaosDaemon({ args: ['--max-runs', '4'], env: { SLIPWAY_GRACE_PERIOD: '1s' } });
  const lost: string[] = [];
  const doubled: string[] = [];
  const restarts: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const ids = await Promise.all(Array.from({ length: RUNS_A_ROUND }, () => startCounting(daemon)));
    await pause(random.between(0, 4000));
    await end(daemon);
    const startedAt = performance.now();
    await daemon.start();
    restarts.push(performance.now() - startedAt);
    for (const id of ids) {
      const verdict = await judgeCounting(daemon, id);
      lost.push(...verdict.lost);
      doubled.push(...verdict.doubled);
    }
  }
  return { runs: rounds * RUNS_A_ROUND, lost, doubled, notes: `ready again in ${Math.round(Math.max(...restarts))} ms at most` };
}
