import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestDaemon } from '../../support/daemon.ts';
import { startChaosDaemon } from '../chaos-daemon.ts';
import type { Fault } from '../fault.ts';
import { endOf, startText } from '../workload.ts';

const FOLLOWERS = 300;
const LINES = 200_000;

/** Readers that open the stream of a run and never read. */
export const slowFollowers: Fault = {
  name: 'stalled readers',
  about: `${FOLLOWERS} readers of a log and its events that stop reading`,
  run: async ({ rounds }) => {
    await using daemon = await startChaosDaemon();
    const lost: string[] = [];
    let memory = 0;
    for (let round = 0; round < rounds; round += 1) {
      const run = await startText(daemon, `steps:\n  - id: many\n    cmd: busybox:local seq ${LINES}\n`);
      const sockets = Array.from({ length: FOLLOWERS }, (_, index) => stalled(daemon, run, index % 2 === 0));
      const ended = await endOf(daemon, run);
      if (ended?.status !== 'Succeeded') lost.push(`${run} ended as ${ended?.status}`);
      const { body } = await daemon.api<string>('GET', `/api/v1/runs/${run}/log?step=many`);
      if (body.split('\n').length - 1 !== LINES) lost.push(`${run} has ${body.split('\n').length - 1} of ${LINES} lines`);
      memory = Math.max(memory, await residentMiB(daemon.pid));
      for (const socket of sockets) socket.destroy();
    }
    return { runs: rounds, lost, doubled: [], notes: `the daemon held ${memory} MiB` };
  },
};

function stalled(daemon: TestDaemon, run: string, events: boolean): Socket {
  const socket = connect(join(daemon.data, 'slipway.sock'));
  socket.on('error', () => undefined);
  const path = events ? `/api/v1/runs/${run}/events?logs=true` : `/api/v1/runs/${run}/log?follow=true`;
  socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\naccept: ${events ? 'text/event-stream' : 'text/plain'}\r\n\r\n`);
  socket.pause();
  return socket;
}

async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}
