import { spawnSync } from 'node:child_process';
import { waitFor } from '../support/wait-for.ts';
import { takeOwners } from './chaos-daemon.ts';
import type { Fault, FaultReport } from './fault.ts';
import { cancelRace } from './faults/cancel-race.ts';
import { clientRetry } from './faults/client-retry.ts';
import { commitUnknown } from './faults/commit-unknown.ts';
import { diskFull } from './faults/disk-full.ts';
import { engineRestart } from './faults/engine-restart.ts';
import { killDaemon, killStarting, terminateDaemon } from './faults/kill-daemon.ts';
import { manySteps } from './faults/many-steps.ts';
import { registryOutage } from './faults/registry-outage.ts';
import { slowFollowers } from './faults/slow-followers.ts';
import { soak } from './faults/soak.ts';
import { triggersAlone, triggersBusy, triggersDiskFull, triggersKilled } from './faults/triggers.ts';
import { createRandom } from './random.ts';

/** With the rounds that each does unless told otherwise. */
export const FAULTS: readonly (readonly [Fault, number])[] = [
  [killDaemon, 8],
  [killStarting, 4],
  [manySteps, 1],
  [terminateDaemon, 4],
  [commitUnknown, 6],
  [engineRestart, 2],
  [registryOutage, 4],
  [diskFull, 2],
  [slowFollowers, 1],
  [clientRetry, 4],
  [cancelRace, 4],
  [triggersKilled, 6],
  [triggersAlone, 3],
  [triggersDiskFull, 2],
  [triggersBusy, 2],
  [soak, 8],
];

export interface Row extends FaultReport {
  readonly fault: string;
  readonly rounds: number;
  readonly seconds: number;
}

interface FaultRun {
  readonly rounds: number;
  readonly seed: number;
  readonly brief: boolean;
}

/** Runs one fault with a seed of its own, so that it can be repeated alone. A fault that breaks the harness counts as lost. */
export async function runFault(fault: Fault, { rounds, seed, brief }: FaultRun): Promise<Row> {
  const startedAt = performance.now();
  const report = await fault.run({ rounds, random: createRandom(seed), brief }).catch(
    (error: unknown): FaultReport => ({
      ...{ runs: 0, doubled: [], notes: '' },
      lost: [`it broke: ${error instanceof Error ? error.message : String(error)}`],
    }),
  );
  const orphans = await orphansOf(takeOwners());
  return {
    ...report,
    lost: [...report.lost, ...orphans.map((orphan) => `left in the engine: ${orphan}`)],
    ...{ fault: fault.name, rounds, seconds: (performance.now() - startedAt) / 1000 },
  };
}

const ORPHANS_AFTER_MS = 20_000;

/** What the daemons of a fault still have in the engine some time after they ended. */
async function orphansOf(owners: readonly string[]): Promise<readonly string[]> {
  const left = (): readonly string[] => owners.flatMap(labelled);
  return waitFor(async () => (left().length === 0 ? [] : undefined), ORPHANS_AFTER_MS).catch(left);
}

function labelled(owner: string): readonly string[] {
  const list = (...args: readonly string[]): readonly string[] => {
    const { stdout } = spawnSync('docker', [...args, '--filter', `label=dev.slipway.owner=${owner}`], { encoding: 'utf8' });
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `${args[0]} ${line}`);
  };
  return [...list('container', 'ls', '-a', '--format', '{{.Names}}'), ...list('network', 'ls', '-q'), ...list('volume', 'ls', '-q')];
}
