import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Served } from '../lib/served.ts';

/** Sends a context of these files; what tasks name it by. */
export async function sendContext(daemon: Served, directory: string): Promise<string> {
  const tar = execFileSync('tar', ['-c', '--sort=name', '-C', directory, '.']);
  const sha256 = createHash('sha256').update(tar).digest('hex');
  const headers = { 'content-type': 'application/x-tar', 'content-length': tar.length };
  const sent = request({ socketPath: daemon.socket, method: 'PUT', path: `/api/v1/uploads/${sha256}`, headers });
  sent.end(tar);
  const [response]: IncomingMessage[] = await once(sent, 'response');
  response?.resume();
  if (response?.statusCode !== 201) throw new Error(`the context was answered ${response?.statusCode}`);
  return `upload:${sha256}`;
}

export interface DockerTask {
  readonly name: string;
  readonly contextPath: string;
  readonly dockerFilePath?: string;
  readonly arguments?: Readonly<Record<string, string>>;
}

const AT_ONCE = 500;

/** Tasks of one Dockerfile each that follow their base images, builder stages too; nothing is pushed. */
export async function defineDockerTasks(daemon: Served, tasks: readonly DockerTask[]): Promise<void> {
  const bodies = tasks.map(({ name, contextPath, dockerFilePath = 'Dockerfile', arguments: values = {} }) => ({
    name,
    step: {
      ...{ contextPath, dockerFilePath, imageNames: [name], isPushEnabled: false },
      arguments: Object.entries(values).map(([key, value]) => ({ name: key, value })),
    },
    trigger: { baseImageTrigger: { name: 'base', baseImageTriggerType: 'All' } },
  }));
  for (let first = 0; first < bodies.length; first += AT_ONCE) {
    await daemon.api('POST', '/api/v1/apply', { tasks: bodies.slice(first, first + AT_ONCE) });
  }
}

export interface Graph {
  readonly dependencies: readonly { readonly task: string }[];
  readonly followed: readonly { readonly status: string }[];
  readonly problems: readonly { readonly task: string; readonly message: string }[];
}

/** Whether the files of so many tasks were read, and all their images looked at. Throws when some could not be. */
export async function isRead(daemon: Served, tasks: number): Promise<boolean> {
  const { dependencies, followed, problems } = await daemon.api<Graph>('GET', '/api/v1/deps');
  const [problem] = problems;
  if (problem !== undefined) throw new Error(`task ${problem.task}: ${problem.message}`);
  return new Set(dependencies.map(({ task }) => task)).size === tasks && followed.every(({ status }) => status === 'ok');
}
