import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { followListeners, watchListeners } from '../../../src/daemon/http/foreign-listeners.ts';
import { createListener } from '../../../src/daemon/http/listeners.ts';
import { listenTcp } from '../../../src/daemon/http/shared-address.ts';
import { createFakeClock } from '../../fakes/fake-clock.ts';
import { waitFor } from '../../support/wait-for.ts';

async function listening(host: string): Promise<number> {
  const server = createListener((_request, response) => response.end('here'), 100);
  const { port, acceptors } = await listenTcp(server, { host, port: 0 });
  onTestFinished(() => {
    for (const one of [server, ...acceptors]) one.close();
    server.closeAllConnections();
  });
  return port;
}

/** A process that listens there as well. Resolves with what ends it. */
async function stranger(host: string, port: number): Promise<() => Promise<void>> {
  const code = `require('node:net').createServer().listen({ host: '${host}', port: ${port}, reusePort: true }, () => console.log('there'))`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
}

it.runIf(process.platform === 'linux').each(['127.0.0.1', '0.0.0.0', '::', '::1'])(
  'on %s another process that listens there is seen, and gone again',
  async (host) => {
    const port = await listening(host);
    const watch = await watchListeners(port);
    const client = connect({ host: host.includes(':') ? '::1' : '127.0.0.1', port });
    onTestFinished(() => void client.destroy());
    await once(client, 'connect');
    expect(await watch.look()).toBeUndefined();
    const end = await stranger(host, port);
    expect(await watch.look()).toContain(`listens on port ${port} too (1 sockets)`);
    await end();
    expect(await watch.look()).toBeUndefined();
  },
);

it.runIf(process.platform === 'linux')('who has the port of another address takes nothing', async () => {
  const port = await listening('127.0.0.1');
  const watch = await watchListeners(port);
  await stranger('127.0.0.2', port);
  expect(await watch.look()).toBeUndefined();
});

it.runIf(process.platform === 'linux')('a daemon looks at once and every minute, and says when somebody comes and goes', async () => {
  const port = await listening('127.0.0.1');
  const clock = createFakeClock();
  const said: string[] = [];
  const log = (_fields: unknown, message?: string): void => void said.push(message ?? '');
  const ending = new AbortController();
  const end = await stranger('127.0.0.1', port);
  const listeners = followListeners(port, { clock, logger: { error: log, info: log, debug: log }, signal: ending.signal });
  const seen = await waitFor(async () => listeners.refusal());
  expect(said).toEqual([seen]);
  await end();
  await waitFor(async () => {
    await clock.advance(60_000);
    return said.length === 2 ? true : undefined;
  });
  expect([said[1], listeners.refusal()]).toEqual(['no other process listens there any more', undefined]);
  ending.abort();
});
