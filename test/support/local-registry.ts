import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from './wait-for.ts';

export interface LocalRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  stop(): Promise<void>;
}

/** A real registry (CNCF distribution) of the test's own on a free port of loopback. `extra` is more YAML of its configuration. */
export async function startLocalRegistry(extra = ''): Promise<LocalRegistry> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(folder, 'config.yml');
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${folder}/data}, delete: {enabled: true}}\nhttp: {addr: ${JSON.stringify(host)}}\n${extra}`,
  );
  const server = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  const failed = new Promise<never>((_, reject) => {
    server.on('error', (error) => reject(new Error(`docker-registry did not start (${error.message}); run the tests with \`npm test\``)));
  });
  await Promise.race([failed, waitFor(() => answers(host), 20_000)]);
  return { host, stop: () => stop(server, folder) };
}

async function stop(server: ChildProcess, folder: string): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}

/** A registry that wants credentials answers 401: it is up too. */
async function answers(host: string): Promise<true | undefined> {
  const response = await fetch(`http://${host}/v2/`).catch(() => undefined);
  return response === undefined ? undefined : true;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
