import { join } from 'node:path';
import { median } from '../lib/measure.ts';
import { type Served, serve } from '../lib/served.ts';
import { byClient, COMMAND, type Starts, watchStarts } from '../lib/starts.ts';
import { type DaemonRow, within } from '../lib/table.ts';

const WARM_UP = 3;
const LEAST_ROUNDS = 20;
const TASK_FILE = Buffer.from(`steps:\n  - cmd: ${COMMAND}\n`).toString('base64');

/**
 * From the request (POST of a run of one step; the start of the `docker` program) to `State.StartedAt` of the container, as the engine
 * tells it: the same moment on both sides, which take turns. The measured value is the median of the differences of the pairs.
 */
export async function firstContainerRows(folder: string, rounds: number): Promise<readonly DaemonRow[]> {
  const engine = await watchStarts();
  const daemon = await serve(join(folder, 'data'));
  const pairs: { readonly ours: number; readonly theirs: number }[] = [];
  try {
    for (let round = 0; round < Math.max(rounds, LEAST_ROUNDS) + WARM_UP; round += 1) {
      const pair = { ours: await ofDaemon(daemon, engine), theirs: await byClient(engine) };
      if (round >= WARM_UP) pairs.push(pair);
    }
  } finally {
    await daemon.stop();
    engine.close();
  }
  const value = median(pairs.map(({ ours, theirs }) => ours - theirs));
  const [ours, theirs] = [median(pairs.map((pair) => pair.ours)), median(pairs.map((pair) => pair.theirs))];
  return [
    {
      work: 'POST run → first container started, minus one `docker run`',
      measured: `${value.toFixed(0)} ms (${ours.toFixed(0)} − ${theirs.toFixed(0)} ms, p50 of ${pairs.length})`,
      ...within(value, { must: 150, aim: 40, unit: 'ms' }),
    },
  ];
}

async function ofDaemon(daemon: Served, engine: Starts): Promise<number> {
  const started = engine.next();
  const sentAt = Date.now();
  const { runId } = await daemon.api<{ runId: string }>('POST', '/api/v1/runs', {
    type: 'EncodedTaskRunRequest',
    encodedTaskContent: TASK_FILE,
  });
  const took = (await started) - sentAt;
  // Only an idle daemon is asked again.
  for (let status = ''; status !== 'Succeeded'; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    ({ status } = await daemon.api<{ status: string }>('GET', `/api/v1/runs/${runId}`));
    if (!['Queued', 'Started', 'Running', 'Succeeded'].includes(status)) throw new Error(`the run ended as ${status}`);
  }
  return took;
}
