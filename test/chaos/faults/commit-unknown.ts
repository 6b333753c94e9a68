import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '../../support/wait-for.ts';
import { startChaosDaemon } from '../chaos-daemon.ts';
import type { Fault } from '../fault.ts';
import { endOf, startText } from '../workload.ts';

const TEXT = 'steps:\n  - cmd: busybox:local true\n';
const KEY_FREE_MS = 90_000;

/** The daemon dies about when it commits a new run, so nobody knows whether it did; the client repeats with its key. */
export const commitUnknown: Fault = {
  name: 'commit unknown',
  about: 'SIGKILL of the daemon between a request for a run and its answer, and the request repeated with its key',
  run: async ({ rounds, random }) => {
    await using daemon = await startChaosDaemon();
    const lost: string[] = [];
    const doubled: string[] = [];
    let made = 0;
    for (let round = 0; round < rounds; round += 1) {
      const key = randomUUID();
      const body = JSON.stringify({ type: 'EncodedTaskRunRequest', encodedTaskContent: Buffer.from(TEXT).toString('base64') });
      const headers = { 'content-type': 'application/json', 'idempotency-key': key, 'content-length': Buffer.byteLength(body) };
      const socketPath = join(daemon.data, 'slipway.sock');
      const sent = request({ socketPath, path: '/api/v1/runs', method: 'POST', agent: false, headers });
      sent.on('error', () => undefined).end(body);
      await pause(random.between(0, 40));
      await daemon.kill();
      await daemon.start();
      const before = await runIds(daemon);
      // The key of a request that died with its process is free after a minute; until then the repeat is told to come again.
      const id = await waitFor(() => startText(daemon, TEXT, key).catch(comeAgain), KEY_FREE_MS);
      if (before.includes(id)) made += 1;
      if ((await endOf(daemon, id))?.status !== 'Succeeded') lost.push(`${id} did not succeed`);
      const after = await runIds(daemon);
      if (after.length !== round + 1) doubled.push(`${after.length} runs for ${round + 1} keys`);
    }
    return { runs: rounds, lost, doubled, notes: `${made} had been committed before the kill` };
  },
};

function comeAgain(error: unknown): undefined {
  if (!(error instanceof Error && error.message.includes('still at work'))) throw error;
}

async function runIds(daemon: { api: Awaited<ReturnType<typeof startChaosDaemon>>['api'] }): Promise<readonly string[]> {
  const { body } = await daemon.api<{ items: { runId: string }[] }>('GET', '/api/v1/runs?top=1000');
  return body.items.map(({ runId }) => runId);
}
