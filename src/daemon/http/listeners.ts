import { chmod, lstat, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type ListenOptions, type Server as NetServer, type Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { EngineError } from '../../model/engine-error.ts';

/** Against senders that say a header or a request a byte at a time. Bodies have times of their own. */
const TIMES = { headersTimeout: 10_000, requestTimeout: 3_600_000, keepAliveTimeout: 30_000, connectionsCheckingInterval: 5_000 };
const MOST_HEADER_BYTES = 16 * 1024;
/** What waits in each connection before its stream is held back: times the number of readers that take nothing. */
const BUFFERED_BYTES = 16 * 1024;
const MOST_HEADERS = 100;
/**
 * A turn of the event loop takes one new connection from each listening socket. With one socket alone, a few hundred senders that each open a
 * connection of their own wait for minutes behind the requests that are answered meanwhile.
 */
const SOCKETS = 16;
const SOCKET_MODE = 0o600;

export function createListener(handle: RequestListener, connections: number): Server {
  const server = createServer(
    { ...TIMES, maxHeaderSize: MOST_HEADER_BYTES, highWaterMark: BUFFERED_BYTES, insecureHTTPParser: false },
    handle,
  );
  server.maxHeadersCount = MOST_HEADERS;
  limitConnections(server, connections);
  server.on('clientError', answerUnreadable);
  return server;
}

/** What is no HTTP gets a short answer, and the connection ends. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Over all its sockets. */
function limitConnections(server: Server, most: number): void {
  let open = 0;
  server.prependListener('connection', (socket: Socket) => {
    open += 1;
    socket.once('close', () => {
      open -= 1;
    });
    if (open > most) socket.destroy();
  });
}

export interface TcpAddress {
  readonly address: string;
  readonly port: number;
  /** What takes connections for the server besides itself: to be closed with it. */
  readonly acceptors: readonly NetServer[];
}

/** Listens with several sockets on one address, where the system spreads connections over them. */
export async function listenTcp(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<TcpAddress> {
  const isShared = process.platform === 'linux';
  // Sockets that share an address would take that of another daemon of the same user as well.
  if (isShared && port !== 0) await checkFree({ host, port });
  await listen(server, { host, port, reusePort: isShared });
  const { address, port: taken } = addressOf(server);
  const acceptors = Array.from({ length: isShared ? SOCKETS - 1 : 0 }, () => acceptorFor(server));
  await Promise.all(acceptors.map((acceptor) => listen(acceptor, { host: address, port: taken, reusePort: true })));
  return { address, port: taken, acceptors };
}

async function checkFree(address: { readonly host: string; readonly port: number }): Promise<void> {
  const probe = createNetServer();
  await listen(probe, address);
  await new Promise((resolve) => probe.close(resolve));
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

/**
 * Listens on a unix socket that only its owner can open (0600, in a directory of mode 0700). A socket that was left behind is replaced: the
 * lock of the data directory says that nobody else serves it.
 */
export async function listenUnix(server: Server, path: string): Promise<void> {
  const left = await lstat(path).catch(() => undefined);
  if (left?.isSocket() === false) throw new EngineError('data-directory', `${path} is there and is no socket`);
  await rm(path, { force: true });
  // With this mask there is no moment at which others could open it; threads cannot set one, and the directory keeps others out anyway.
  const mask = isMainThread ? process.umask(0o177) : undefined;
  try {
    const listening = listen(server, { path });
    if (mask !== undefined) process.umask(mask);
    await listening;
  } finally {
    if (mask !== undefined) process.umask(mask);
  }
  await chmod(path, SOCKET_MODE);
  const { mode } = await lstat(path);
  if ((mode & 0o777) !== SOCKET_MODE)
    throw new EngineError('data-directory', `${path} stays open to other users: its file system keeps no modes`);
}

function listen(server: NetServer, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      const where = options.path ?? `${options.host}:${options.port}`;
      reject(
        new EngineError('data-directory', `cannot listen on ${where}: ${error.message}`, {
          cause: error,
          help: 'Is another daemon there? Choose another address with `--listen`.',
        }),
      );
    };
    server.once('error', fail);
    server.listen(options, () => {
      server.off('error', fail);
      resolve();
    });
  });
}
