import type { Server } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type ListenOptions, type Server as NetServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { EngineError } from '../../model/engine-error.ts';

/**
 * A turn of the event loop takes one new connection from each listening socket. With one socket alone, a few hundred senders that each open a
 * connection of their own wait for minutes behind the requests that are answered meanwhile.
 */
const SOCKETS = 16;
/** Connections that wait to be taken from one socket: senders are spread by chance, so each has some more than its part of Node's 511. */
const BACKLOG = 64;
/** What waits in each connection before its stream is held back: times the number of readers that take nothing. */
export const BUFFERED_BYTES = 16 * 1024;
const TURN_MS = 5000;
const TURN_RETRY_MS = 20;

export interface TcpAddress {
  readonly address: string;
  readonly port: number;
  /** What takes connections for the server besides itself: to be closed with it. */
  readonly acceptors: readonly NetServer[];
}

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Listens with several sockets on one address, where the system spreads connections over them. Leaves none open when it fails. */
export async function listenTcp(server: Server, place: Place): Promise<TcpAddress> {
  if (process.platform !== 'linux') {
    await listen(server, place);
    return { ...addressOf(server), acceptors: [] };
  }
  // The system gives a port that nobody has.
  if (place.port === 0) return listenShared(server, place);
  const turn = await takeTurn(place.port);
  try {
    // Sockets that share an address would take that of another daemon of the same user as well.
    await checkFree(place);
    return await listenShared(server, place);
  } finally {
    await closed(turn);
  }
}

async function listenShared(server: Server, place: Place): Promise<TcpAddress> {
  await listen(server, { ...place, reusePort: true, backlog: BACKLOG });
  const { address, port } = addressOf(server);
  const acceptors = Array.from({ length: SOCKETS - 1 }, () => acceptorFor(server));
  const listening = acceptors.map((acceptor) => listen(acceptor, { host: address, port, reusePort: true, backlog: BACKLOG }));
  const failed = (await Promise.allSettled(listening)).find((result) => result.status === 'rejected');
  if (failed === undefined) return { address, port, acceptors };
  await Promise.all([server, ...acceptors].map(closed));
  throw failed.reason;
}

/**
 * Daemons that start at the same time look whether a port is free one after the other. A name of the abstract namespace has one owner in a
 * network namespace, as a port has, and is free again however its owner ends. That of the port alone covers addresses that contain others.
 */
async function takeTurn(port: number): Promise<NetServer> {
  const turn = createNetServer();
  const until = performance.now() + TURN_MS;
  for (;;) {
    try {
      await listen(turn, { path: `\0slipway-listens-on-${port}` });
      return turn;
    } catch (error) {
      if (!isTaken(error)) throw error;
      if (performance.now() > until) throw refusal(`port ${port}`, 'another process has been about to listen there for 5 s', error);
    }
    await setTimeout(TURN_RETRY_MS);
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof EngineError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE';
}

async function checkFree(place: Place): Promise<void> {
  const probe = createNetServer();
  await listen(probe, place);
  await closed(probe);
}

function closed(server: NetServer): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** With the options that servers of HTTP have. */
function acceptorFor(server: Server): NetServer {
  return createNetServer({ allowHalfOpen: true, noDelay: true, highWaterMark: BUFFERED_BYTES }, (socket) => {
    server.emit('connection', socket);
  });
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new EngineError('internal', 'a TCP server has no address');
  return address;
}

/** Resolves when the server listens; rejects with EngineError `data-directory`. */
export function listen(server: NetServer, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      reject(refusal(options.path?.replace('\0', '@') ?? `${options.host}:${options.port}`, error.message, error));
    };
    server.once('error', fail);
    server.listen(options, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

function refusal(where: string, because: string, cause: unknown): EngineError {
  return new EngineError('data-directory', `cannot listen on ${where}: ${because}`, {
    ...{ cause, help: 'Is another daemon there? Choose another address with `--listen`.' },
  });
}
