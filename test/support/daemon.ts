import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from './task-program.ts';

export interface DaemonOptions {
  /** By default a folder of its own, removed at the end. */
  readonly data?: string;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** SLIPWAY_DATA names its data, as for the commands that are to find it. */
  readonly isFoundByEnvironment?: boolean;
}

export interface Answer<Value = unknown> {
  readonly status: number;
  readonly body: Value;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** `task serve` as a real process, which can be killed and started again on the same data. */
export interface TestDaemon extends AsyncDisposable {
  readonly data: string;
  /** `http://127.0.0.1:PORT`; another one after each start. */
  readonly url: string;
  /** `unix:PATH` for SLIPWAY_SERVER. */
  readonly server: string;
  /** Of an admin. */
  readonly token: string;
  readonly pid: number;
  /** What it wrote to standard output until it was ready, since its last start. */
  readonly stdout: string;
  /** What it wrote to standard error since its last start. */
  readonly stderr: string;
  start(): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** One request over the unix socket (of its owner), or with `token` over TCP. */
  api<Value = unknown>(method: string, path: string, body?: unknown, options?: ApiOptions): Promise<Answer<Value>>;
}

export interface ApiOptions {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Starts a daemon and waits until it is ready. Ends with the scope, and takes what it left in the engine along. */
export async function startDaemon(options: DaemonOptions = {}): Promise<TestDaemon> {
  const data = options.data ?? (await mkdtemp(join(tmpdir(), 'slipway-daemon-')));
  const daemon = new DaemonProcess(data, options);
  await daemon.start();
  return daemon;
}

class DaemonProcess implements TestDaemon {
  readonly data: string;
  readonly #options: DaemonOptions;
  #child: ChildProcess | undefined;
  #url = '';
  #token = '';
  #stdout = '';
  #stderr = '';

  constructor(data: string, options: DaemonOptions) {
    this.data = data;
    this.#options = options;
  }

  get url(): string {
    return this.#url;
  }

  get server(): string {
    return `unix:${join(this.data, 'slipway.sock')}`;
  }

  get token(): string {
    return this.#token;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  async start(): Promise<void> {
    const { args = [], env = {}, isFoundByEnvironment = false } = this.#options;
    const child = spawn(`${projectRoot}/bin/task`, ['serve', '--data', this.data, '--listen', '127.0.0.1:0', ...args], {
      cwd: this.data,
      env: { ...process.env, HOME: this.data, ...(isFoundByEnvironment ? { SLIPWAY_DATA: this.data } : {}), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#stdout = '';
    this.#stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#url = await readyUrl(child, () => this.#stderr);
    this.#token = (await readFile(join(this.data, 'admin.token'), 'utf8')).trim();
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return null;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    child.kill(signal);
    await once(child, 'close');
    return child.exitCode;
  }

  api<Value = unknown>(method: string, path: string, body?: unknown, options: ApiOptions = {}): Promise<Answer<Value>> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const place =
      options.token === undefined
        ? { socketPath: join(this.data, 'slipway.sock'), path, headers: {} }
        : { ...hostOf(this.#url), path, headers: { authorization: `Bearer ${options.token}` } };
    return new Promise((resolve, reject) => {
      const headers = { ...place.headers, ...(text === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers };
      const sent = request({ ...place, method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const said = Buffer.concat(chunks).toString();
          const isJson = /json/.test(response.headers['content-type'] ?? '');
          resolve({ status: response.statusCode ?? 0, body: (isJson ? JSON.parse(said) : said) as Value, headers: response.headers });
        });
      });
      sent.on('error', reject);
      sent.end(text);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== undefined) await this.#cancelAll();
    await this.stop();
    if (this.#options.data === undefined) await rm(this.data, { recursive: true, force: true });
  }

  /** What still runs would be left in the engine for a next start that never comes. */
  async #cancelAll(): Promise<void> {
    const { body } = await this.api<{ items: { runId: string }[] }>('GET', '/api/v1/runs?status=Queued,Started,Running&top=1000');
    await this.api('POST', '/api/v1/queue/pause', { reason: 'the test ends' });
    for (const { runId } of body.items) await this.api('POST', `/api/v1/runs/${runId}/cancel`);
  }
}

function hostOf(url: string): { readonly host: string; readonly port: string } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port };
}

async function readyUrl(child: ChildProcess, stderr: () => string): Promise<string> {
  if (child.stdout === null) throw new Error('bug: no standard output');
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      const url = /is ready: (http:\/\/\S+)/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('close', (code) => reject(new Error(`the daemon ended with ${code} before it was ready:\n${stderr()}`)));
    child.once('error', reject);
  });
  return ready;
}
