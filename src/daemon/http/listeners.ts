import { chmod, lstat, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { EngineError } from '../../model/engine-error.ts';
import { BUFFERED_BYTES, listen } from './shared-address.ts';

/** Against senders that say a header or a request a byte at a time. Bodies have times of their own. */
const TIMES = { headersTimeout: 10_000, requestTimeout: 3_600_000, keepAliveTimeout: 30_000, connectionsCheckingInterval: 5_000 };
const MOST_HEADER_BYTES = 16 * 1024;
const MOST_HEADERS = 100;
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
