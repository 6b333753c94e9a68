import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { RequestGate } from '../../../src/daemon/http/drain-backlog.ts';
import { createListener } from '../../../src/daemon/http/listeners.ts';
import { listenTcp, type TcpAddress } from '../../../src/daemon/http/shared-address.ts';
import { waitFor } from '../../support/wait-for.ts';

const HOST = '127.0.0.1';
const FOLDER = new URL('../../../src/daemon/http/', import.meta.url).href;

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

it('of daemons that start at the same time one listens, and its place is free at once when it ends', async () => {
  const { port } = await freed();
  const starts = await Promise.allSettled([HOST, '0.0.0.0', HOST, '0.0.0.0'].map((host) => started(host, port)));
  expect(starts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const start of starts) if (start.status === 'rejected') expect(String(start.reason)).toContain(`:${port}`);
});

it('of processes that start at the same time one has the port, and another has it at once when that one is killed', async () => {
  const ports = await Promise.all(Array.from({ length: ROUNDS }, async () => (await freed()).port));
  const children = [starter(ports), starter(ports)];
  await Promise.all(children.map(({ stdout }) => once(stdout, 'data')));
  const said = children.map(async ({ stdout }): Promise<boolean[]> => JSON.parse(String((await once(stdout, 'data'))[0])));
  for (const { stdin } of children) stdin.write(`${Date.now() + 200}\n`);
  const [one, other] = await Promise.all(said);
  expect(one?.map((up, index) => Number(up) + Number(other?.[index]))).toEqual(ports.map(() => 1));
  await Promise.all(
    children.map((child) => {
      child.kill('SIGKILL');
      return once(child, 'exit');
    }),
  );
  for (const port of ports.slice(0, 5)) expect((await started(HOST, port)).port).toBe(port);
}, 30_000);

it('what fails to listen with all of its sockets leaves none open', async () => {
  const code = `
    const { openSync, closeSync } = await import('node:fs');
    const { createListener } = await import(process.env.FOLDER + 'listeners.ts');
    const { listenTcp } = await import(process.env.FOLDER + 'shared-address.ts');
    const server = createListener((_request, response) => response.end('here'), 10);
    const files = [];
    try { for (;;) files.push(openSync('/dev/null')); } catch {}
    for (const file of files.splice(0, 6)) closeSync(file);
    const error = await listenTcp(server, { host: '127.0.0.1', port: 0 }).then(() => undefined, ({ message }) => message);
    for (const file of files) closeSync(file);
    // Handles are closed in the next turn.
    await new Promise((resolve) => setTimeout(resolve, 1));
    console.log(JSON.stringify({ error, open: process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap') }));
  `;
  const child = spawn('sh', ['-c', 'ulimit -n 100 && exec "$0" --input-type=module -e "$1"', process.execPath, code], {
    env: { ...process.env, FOLDER },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = await once(child.stdout, 'data');
  expect(JSON.parse(String(said))).toEqual({ error: expect.stringContaining('EMFILE'), open: [] });
});

it('who was connected when the daemon ends is answered, however slow answers are', async () => {
  const gate = new RequestGate();
  const answering = gate.guard((_request, response) => {
    const until = performance.now() + 5;
    while (performance.now() < until);
    response.end('here');
  });
  const server = createListener(answering, 1000);
  const { port, acceptors } = await listenTcp(server, { host: HOST, port: 0 });
  const state = new Int32Array(new SharedArrayBuffer(4));
  const sender = new Worker(SENDER, { eval: true, workerData: { port, host: HOST, count: 150, state } });
  // Nothing is taken before all are connected.
  Atomics.wait(state, 0, 0, 10_000);
  const { ended } = await gate.close([server, ...acceptors], 2000);
  const [answers] = await once(sender, 'message');
  await ended;
  expect(answers).toEqual({ answered: 150, lost: 0 });
});

/** Connects and sends a request each; says when all are connected, and then what became of them. */
const SENDER = `
const { connect } = require('node:net');
const { parentPort, workerData: { port, host, count, state } } = require('node:worker_threads');
const result = { answered: 0, lost: 0 };
let connected = 0;
for (let index = 0; index < count; index += 1) {
  let said = '';
  const socket = connect({ host, port }, () => {
    socket.write('GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');
    connected += 1;
    if (connected === count) { Atomics.store(state, 0, 1); Atomics.notify(state, 0); }
  });
  socket.on('data', (chunk) => { said += chunk; });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    result[said.startsWith('HTTP/1.1 200') ? 'answered' : 'lost'] += 1;
    if (result.answered + result.lost === count) parentPort.postMessage(result);
  });
}
`;

function started(host: string, port: number): Promise<TcpAddress> {
  const server = createListener((_request, response) => response.end('here'), 10);
  return listenTcp(server, { host, port }).then((address) => {
    onTestFinished(() => {
      for (const one of [server, ...address.acceptors]) one.close();
    });
    return address;
  });
}

const ROUNDS = 30;
/** Listens on each port at a moment that is the same for all processes, and says where it could. */
const STARTER = `
const { createListener } = await import(process.env.FOLDER + 'listeners.ts');
const { listenTcp } = await import(process.env.FOLDER + 'shared-address.ts');
const listens = (port) =>
  listenTcp(createListener((_request, response) => response.end('here'), 10), { host: '127.0.0.1', port }).then(() => true, () => false);
await listenTcp(createListener(() => undefined, 10), { host: '127.0.0.1', port: 0 });
process.stdin.once('data', async (first) => {
  const up = [];
  for (const [index, port] of JSON.parse(process.env.PORTS).entries()) {
    while (Date.now() < Number(first) + index * 60);
    up.push(await listens(port));
  }
  console.log(JSON.stringify(up));
});
console.log('ready');
`;

async function freed(): Promise<TcpAddress> {
  const address = await listening();
  for (const one of [address.server, ...address.acceptors]) one.close();
  return address;
}

function starter(ports: readonly number[]): ChildProcessByStdio<Writable, Readable, null> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', STARTER], {
    env: { ...process.env, PORTS: JSON.stringify(ports), FOLDER },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}
