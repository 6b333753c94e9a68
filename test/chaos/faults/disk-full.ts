import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from '../../support/wait-for.ts';
import { startChaosDaemon } from '../chaos-daemon.ts';
import type { Fault } from '../fault.ts';
import { mountSmall, unmount } from '../small-disk.ts';
import { countEnds, endOf, startText } from '../workload.ts';

const SIZE_MIB = 96;

/** The disk of the data directory fills up while a step writes, and is freed again. */
export const diskFull: Fault = {
  name: 'disk full',
  about: `a data directory of ${SIZE_MIB} MiB that is full while a run writes its log`,
  run: async ({ rounds, random }) => {
    const disk = await mkdtemp(join(tmpdir(), 'slipway-disk-'));
    mountSmall(disk, SIZE_MIB);
    try {
      await using daemon = await startChaosDaemon({ data: disk });
      const lost: string[] = [];
      const doubled: string[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const run = await startText(daemon, `steps:\n  - id: a\n    cmd: busybox:local sh -c 'seq 300000; sleep 1; seq 300000'\n`);
        const { bavail, bsize } = await statfs(disk);
        const size = Math.max(0, bavail * bsize - Math.floor(random.between(0, 3)) * 1024 * 1024);
        // The run writes too, and may be first to take the last of the room.
        await writeFile(join(disk, 'filler'), Buffer.alloc(size)).catch(ignoreFull);
        const refused = await daemon.api<{ code: string }>('POST', '/api/v1/runs', {
          type: 'EncodedTaskRunRequest',
          encodedTaskContent: Buffer.from('steps:\n  - cmd: busybox:local true\n').toString('base64'),
        });
        if (refused.body.code !== 'disk-full') lost.push(`a new run was answered ${refused.status} ${refused.body.code} on a full disk`);
        const alive = await daemon.api('GET', '/healthz');
        if (alive.status !== 200) lost.push(`the daemon answered ${alive.status} on a full disk`);
        await rm(join(disk, 'filler'));
        const ended = await endOf(daemon, run);
        if (ended === undefined) lost.push(`${run} did not end`);
        if (ended !== undefined && (await countEnds(daemon, run)) !== 1) doubled.push(`${run} does not have one end`);
        const ready = waitFor(async () => ((await daemon.api('GET', '/readyz')).status === 200 ? true : undefined), 30_000);
        if (!(await ready.catch(() => false))) lost.push('the daemon is not ready again although there is room');
        const next = await endOf(daemon, await startText(daemon, 'steps:\n  - cmd: busybox:local true\n'));
        if (next?.status !== 'Succeeded') lost.push(`the next run ended as ${next?.status}: ${next?.runErrorMessage ?? ''}`);
      }
      return { runs: rounds * 2, lost, doubled, notes: '' };
    } finally {
      unmount(disk);
      await rm(disk, { recursive: true, force: true });
    }
  },
};

function ignoreFull(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOSPC') throw error;
}
