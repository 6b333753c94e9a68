import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { TestDaemon } from '../../support/daemon.ts';
import { startChaosDaemon } from '../chaos-daemon.ts';
import type { Fault } from '../fault.ts';
import { endOf, startText } from '../workload.ts';

const TEXT = 'steps:\n  - cmd: busybox:local true\n';
const REQUESTS_A_ROUND = 10;

/** The client sends, dies before the answer, and sends again with the same key. */
export const clientRetry: Fault = {
  name: 'client retry',
  about: 'a client that is cut off between request and answer, and repeats with its Idempotency-Key',
  run: async ({ rounds, random }) => {
    await using daemon = await startChaosDaemon();
    const lost: string[] = [];
    const doubled: string[] = [];
    let sent = 0;
    for (let round = 0; round < rounds; round += 1) {
      const before = await countRuns(daemon);
      for (let number = 0; number < REQUESTS_A_ROUND; number += 1) {
        const key = randomUUID();
        await cutOff(daemon, key, random.between(0, 12));
        const id = await startText(daemon, TEXT, key);
        sent += 1;
        if ((await endOf(daemon, id))?.status !== 'Succeeded') lost.push(`${id} did not succeed`);
      }
      const made = (await countRuns(daemon)) - before;
      if (made > REQUESTS_A_ROUND) doubled.push(`${made} runs for ${REQUESTS_A_ROUND} keys`);
      if (made < REQUESTS_A_ROUND) lost.push(`${made} runs for ${REQUESTS_A_ROUND} keys`);
    }
    return { runs: sent, lost, doubled, notes: '' };
  },
};

async function countRuns(daemon: TestDaemon): Promise<number> {
  return (await daemon.api<{ items: unknown[] }>('GET', '/api/v1/runs?top=1000')).body.items.length;
}

async function cutOff(daemon: TestDaemon, key: string, afterMs: number): Promise<void> {
  const body = JSON.stringify({ type: 'EncodedTaskRunRequest', encodedTaskContent: Buffer.from(TEXT).toString('base64') });
  const sent = request({
    ...{ socketPath: join(daemon.data, 'slipway.sock'), path: '/api/v1/runs', method: 'POST', agent: false },
    headers: { 'content-type': 'application/json', 'idempotency-key': key, 'content-length': Buffer.byteLength(body) },
  });
  sent.on('error', () => undefined);
  sent.end(body);
  await pause(afterMs);
  sent.destroy();
}
