import { setTimeout as pause } from 'node:timers/promises';
import { startChaosDaemon } from '../chaos-daemon.ts';
import type { Fault } from '../fault.ts';
import { countEnds, endOf, showRun, startText } from '../workload.ts';

const RUNS_A_ROUND = 6;

/** Cancels short runs about when they end. Whoever wins: one end, and it stays. */
export const cancelRace: Fault = {
  name: 'cancel race',
  about: 'a cancel that meets the start or the end of the run',
  run: async ({ rounds, random }) => {
    await using daemon = await startChaosDaemon({ args: ['--max-runs', '4'] });
    const lost: string[] = [];
    const doubled: string[] = [];
    const won = { Succeeded: 0, Canceled: 0 };
    for (let round = 0; round < rounds; round += 1) {
      const ids = await Promise.all(
        Array.from({ length: RUNS_A_ROUND }, () => startText(daemon, "steps:\n  - cmd: busybox:local sh -c 'sleep 0.3'\n")),
      );
      await Promise.all(
        ids.map(async (id) => {
          await pause(random.between(0, 2500));
          await daemon.api('POST', `/api/v1/runs/${id}/cancel`);
        }),
      );
      for (const id of ids) {
        const run = await endOf(daemon, id);
        const ends = run === undefined ? 0 : await countEnds(daemon, id);
        if (ends === 0) lost.push(`${id} has no end`);
        if (ends > 1) doubled.push(`${id} has ${ends} ends`);
        if (run !== undefined && run.status !== 'Succeeded' && run.status !== 'Canceled') lost.push(`${id} ended as ${run.status}`);
        if (run?.status === 'Succeeded' || run?.status === 'Canceled') won[run.status] += 1;
        if (run !== undefined && (await showRun(daemon, id)).status !== run.status) doubled.push(`${id} changed after its end`);
      }
    }
    return { runs: rounds * RUNS_A_ROUND, lost, doubled, notes: `${won.Canceled} canceled, ${won.Succeeded} ended first` };
  },
};
