import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { base } from './parts.ts';

const SOCKET = '/var/run/docker.sock';
/** What measured containers run: by it they are told from those of others. */
export const COMMAND = `${base} sleep 1`;

/** From the start of the `docker` program to the start of its container: milliseconds. */
export async function byClient(engine: Starts): Promise<number> {
  const started = engine.next();
  const sentAt = Date.now();
  const child = spawn('docker', ['run', '--rm', ...COMMAND.split(' ')], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'close');
  const took = (await started) - sentAt;
  await ended;
  return took;
}

export interface Starts {
  /** When the next container that runs the command of this measurement started: milliseconds of the wall clock. */
  next(): Promise<number>;
  close(): void;
}

/** Listens to the engine's events; what it tells of a started container is asked of the container itself. */
export async function watchStarts(): Promise<Starts> {
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
