import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { task } from './parts.ts';

/** `task serve` of the published program, as a process of its own. */
export interface Served {
  readonly socket: string;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly pid: number;
  /** Milliseconds from the start of the process to the line that says it is ready. */
  readonly readyMs: number;
  /** One request over the unix socket, on a connection that is kept: JSON, or the text of what is none. Rejects when the daemon refuses. */
  api<Value = unknown>(method: string, path: string, body?: unknown): Promise<Value>;
  /** MiB of memory that it has at the moment. */
  memoryMb(): number;
  /** Milliseconds of processor time that it has used so far. */
  cpuMs(): number;
  stop(): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

export interface ServeOptions {
  /** Settings of the daemon as environment variables. */
  readonly env?: Readonly<Record<string, string>>;
}

const CLOCK_TICK_MS = 10;

export async function serve(data: string, { env = {} }: ServeOptions = {}): Promise<Served> {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const startedAt = performance.now();
  const child = spawn(task, ['serve', '--data', data, '--listen', '127.0.0.1:0', '--log-level', 'warn'], {
    env: { ...process.env, HOME: data, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await untilReady(child);
  const readyMs = performance.now() - startedAt;
  const pid = child.pid ?? 0;
  const socket = join(data, 'slipway.sock');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    agent.destroy();
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'close');
  };
  return {
    ...{ socket, url, pid, readyMs },
    api: (method, path, body) => ask({ socket, agent }, method, path, body),
    memoryMb: () => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024,
    cpuMs: () => {
      // utime and stime are the 14th and 15th field; the second one, in brackets, may hold blanks.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS;
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

function untilReady(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const url = / is ready: (http:\/\/\S+)/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`task serve ended with ${code} before it was ready`)));
  });
}

function ask<Value>(to: { socket: string; agent: Agent }, method: string, path: string, body: unknown): Promise<Value> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const sent = request({ socketPath: to.socket, agent: to.agent, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const said = Buffer.concat(chunks).toString();
        const isJson = /json/.test(response.headers['content-type'] ?? '');
        if ((response.statusCode ?? 500) < 300) resolve((isJson ? JSON.parse(said) : said) as Value);
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${said}`));
      });
    });
    sent.on('error', reject);
    sent.end(text);
  });
}
