import { setTimeout as pause } from 'node:timers/promises';
import { startOwnEngine } from '../../support/own-engine.ts';
import { startChaosDaemon } from '../chaos-daemon.ts';
import type { Fault } from '../fault.ts';
import { countEnds, endOf, startText } from '../workload.ts';

/** The engine dies with its containers in the middle of a step and comes back. */
export const engineRestart: Fault = {
  name: 'engine killed',
  about: 'the container engine dies with everything in it while a step runs, and comes back',
  run: async ({ rounds, random }) => {
    const engine = await startOwnEngine(['busybox:local']);
    try {
      await using daemon = await startChaosDaemon({ env: { DOCKER_HOST: engine.endpoint } });
      const lost: string[] = [];
      const doubled: string[] = [];
      const text = (pauseSeconds: number): string =>
        `steps:\n  - id: a\n    network: none\n    cmd: busybox:local sh -c 'sleep ${pauseSeconds}'\n`;
      for (let round = 0; round < rounds; round += 1) {
        const run = await startText(daemon, text(20));
        await pause(random.between(500, 2500));
        await engine.kill();
        await pause(random.between(0, 500));
        await engine.start();
        const ended = await endOf(daemon, run);
        // What the engine took along is no failure of the user's step.
        if (ended?.status !== 'Error') lost.push(`${run} ended as ${ended?.status}: ${ended?.runErrorMessage ?? ''}`);
        if ((await countEnds(daemon, run)) !== 1) doubled.push(`${run} does not have one end`);
        const next = await endOf(daemon, await startText(daemon, text(0)));
        if (next?.status !== 'Succeeded') lost.push(`the next run ended as ${next?.status}: ${next?.runErrorMessage ?? ''}`);
      }
      return { runs: rounds * 2, lost, doubled, notes: '' };
    } finally {
      await engine.stop();
    }
  },
};
