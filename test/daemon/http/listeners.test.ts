import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { createListener, listenTcp, type TcpAddress } from '../../../src/daemon/http/listeners.ts';
import { waitFor } from '../../support/wait-for.ts';

const HOST = '127.0.0.1';

async function listening(port = 0, connections = 1000): Promise<TcpAddress & { readonly server: Server }> {
  const server = createListener((_request, response) => response.end('here'), connections);
  const address = await listenTcp(server, { host: HOST, port });
  onTestFinished(() => {
    for (const one of [server, ...address.acceptors]) one.close();
    server.closeAllConnections();
  });
  return { ...address, server };
}

function open(port: number): Socket {
  const socket = connect({ host: HOST, port }).on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

it('connections that are opened at once are taken in a few turns of the loop', async () => {
  const { port, server } = await listening();
  let taken = 0;
  server.on('connection', () => {
    taken += 1;
  });
  for (let count = 0; count < 128; count += 1) open(port);
  let turns = 0;
  for (; taken < 128; turns += 1) await setImmediate();
  expect(turns).toBeLessThan(64);
});

it('requests are answered whichever socket took them', async () => {
  const { port } = await listening();
  const answers = await Promise.all(Array.from({ length: 50 }, async () => (await fetch(`http://${HOST}:${port}/`)).text()));
  expect(new Set(answers)).toEqual(new Set(['here']));
});

it('an address that another daemon of the same user has is refused', async () => {
  const { port } = await listening();
  await expect(listening(port)).rejects.toThrow(`cannot listen on ${HOST}:${port}`);
});

it('the most connections are counted over all sockets', async () => {
  const { port } = await listening(0, 4);
  const sockets = Array.from({ length: 12 }, () => open(port));
  let closed = 0;
  for (const socket of sockets) {
    socket.resume();
    void once(socket, 'close').then(() => {
      closed += 1;
    });
  }
  await waitFor(async () => (closed >= 8 ? true : undefined));
  await setImmediate();
  expect(closed).toBe(8);
});
