import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import { median } from '../lib/measure.ts';
import { base } from '../lib/parts.ts';
import { type Served, serve } from '../lib/served.ts';
import { type DaemonRow, within } from '../lib/table.ts';

const SOCKET = '/var/run/docker.sock';
const WARM_UP = 3;
const LEAST_ROUNDS = 20;
const COMMAND = `${base} sleep 1`;
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
      const pair = { ours: await ofDaemon(daemon, engine), theirs: await ofClient(engine) };
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

async function ofClient(engine: Starts): Promise<number> {
  const started = engine.next();
  const sentAt = Date.now();
  const child = spawn('docker', ['run', '--rm', ...COMMAND.split(' ')], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'close');
  const took = (await started) - sentAt;
  await ended;
  return took;
}

interface Starts {
  /** When the next container that runs the command of this measurement started: milliseconds of the wall clock. */
  next(): Promise<number>;
  close(): void;
}

/** Listens to the engine's events; what it tells of a started container is asked of the container itself. */
async function watchStarts(): Promise<Starts> {
  let waiting: PromiseWithResolvers<number> | undefined;
  const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: ['start'] }));
  const sent = request({ socketPath: SOCKET, path: `/events?filters=${filters}` });
  sent.end();
  const [response] = await once(sent, 'response');
  const taken = async (id: string): Promise<void> => {
    const { State, Config } = await inspect(id);
    if (Config?.Cmd?.join(' ') !== 'sleep 1' || State === undefined) return;
    waiting?.resolve(Date.parse(State.StartedAt));
  };
  response.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
      taken(JSON.parse(line).id).catch((error: unknown) => waiting?.reject(error));
    }
  });
  return {
    next: () => {
      waiting = Promise.withResolvers();
      return waiting.promise;
    },
    close: () => sent.destroy(),
  };
}

interface Container {
  readonly State?: { readonly StartedAt: string };
  readonly Config?: { readonly Cmd?: readonly string[] };
}

async function inspect(id: string): Promise<Container> {
  const sent = request({ socketPath: SOCKET, path: `/containers/${id}/json` });
  sent.end();
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part;
  // A container of somebody else may be gone already.
  return response.statusCode === 200 ? JSON.parse(text) : {};
}
