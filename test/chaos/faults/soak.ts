import { readdirSync, readFileSync } from 'node:fs';
import { startChaosDaemon } from '../chaos-daemon.ts';
import type { Fault } from '../fault.ts';
import { endOf, startText } from '../workload.ts';

const RUNS_A_ROUND = 50;
const WARM_UP_ROUNDS = 2;
const AT_ONCE = 4;
/** Beyond ten percent: what one collection of the heap more or less makes of a process of this size. */
const SLACK_MIB = 10;

/** Runs without end, on real containers: memory and open files stay as they were after the warm-up. */
export const soak: Fault = {
  name: 'soak',
  about: `${RUNS_A_ROUND} real runs a round, ${AT_ONCE} at once; memory and open files of the daemon`,
  run: async ({ rounds }) => {
    await using daemon = await startChaosDaemon({ args: ['--max-runs', String(AT_ONCE)] });
    const lost: string[] = [];
    const memory: number[] = [];
    const files: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const ids = await Promise.all(
        Array.from({ length: RUNS_A_ROUND }, () => startText(daemon, "steps:\n  - cmd: busybox:local sh -c 'seq 200'\n")),
      );
      for (const id of ids) if ((await endOf(daemon, id))?.status !== 'Succeeded') lost.push(`${id} did not succeed`);
      if (round < WARM_UP_ROUNDS) continue;
      memory.push(residentMiB(daemon.pid));
      files.push(readdirSync(`/proc/${daemon.pid}/fd`).length);
    }
    const [early, late] = [memory.slice(0, Math.ceil(memory.length / 3)), memory.slice(-Math.ceil(memory.length / 3))].map(mean);
    if (early !== undefined && late !== undefined && late > early * 1.1 + SLACK_MIB) lost.push(`memory grew from ${early} to ${late} MiB`);
    const [least, most] = [Math.min(...files), Math.max(...files)];
    if (most > least * 1.1 + AT_ONCE) lost.push(`open files went from ${least} to ${most}`);
    return { runs: rounds * RUNS_A_ROUND, lost, doubled: [], notes: `memory ${early} to ${late} MiB, open files ${least} to ${most}` };
  },
};

function mean(numbers: readonly number[]): number {
  return Math.round(numbers.reduce((sum, number) => sum + number, 0) / numbers.length);
}

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}
