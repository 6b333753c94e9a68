import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { drained } from '../drained.ts';
import { GRPC_STATUS, type GrpcCall, GrpcFailure, type GrpcHandler } from './grpc-call.ts';
import { splitMessages } from './grpc-frames.ts';

export interface GrpcServer {
  /** Resolves when the connection is gone, whoever closed it. Never rejects. */
  readonly closed: Promise<void>;
  close(): void;
}

const WINDOW_BYTES = 1024 * 1024;
const IN_FLIGHT_BYTES = 512 * 1024;

/**
 * Serves gRPC (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md) on a connection that the other side
 * uses as a client. `handlers` maps `/package.Service/Method` to its implementation; anything else is UNIMPLEMENTED.
 */
export function serveGrpc(socket: Duplex, handlers: ReadonlyMap<string, GrpcHandler>): GrpcServer {
  const session = performServerHandshake(socket, {
    settings: { initialWindowSize: WINDOW_BYTES, maxConcurrentStreams: 1000 },
  }) as ServerHttp2Session;
  // What breaks the connection shows in every open call; the session's own report has no other reader.
  session.on('error', () => session.destroy());
  session.on('stream', (stream: ServerHttp2Stream, headers, _flags, rawHeaders: readonly string[]) => {
    stream.on('error', () => undefined);
    const handler = handlers.get(String(headers[constants.HTTP2_HEADER_PATH]));
    void answer(stream, rawHeaders, handler);
  });
  const closed = new Promise<void>((resolve) => {
    session.once('close', resolve);
    socket.once('close', resolve);
  });
  return {
    closed,
    close: () => {
      session.destroy();
      socket.destroy();
    },
  };
}

async function answer(stream: ServerHttp2Stream, rawHeaders: readonly string[], handler: GrpcHandler | undefined): Promise<void> {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
  let status = 0;
  let message = '';
  stream.once('wantTrailers', () => {
    stream.sendTrailers({ 'grpc-status': String(status), ...(message === '' ? {} : { 'grpc-message': encodeURIComponent(message) }) });
  });
  try {
    if (handler === undefined) throw new GrpcFailure(GRPC_STATUS.unimplemented, 'this session does not serve the method');
    await handler(openCall(stream, rawHeaders));
  } catch (error) {
    status = error instanceof GrpcFailure ? error.status : GRPC_STATUS.unknown;
    message = error instanceof Error ? error.message : String(error);
  }
  if (stream.destroyed) return;
  stream.resume();
  stream.end();
}

function openCall(stream: ServerHttp2Stream, rawHeaders: readonly string[]): GrpcCall {
  return {
    header: (name) => rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name),
    // A handler that has heard enough must not reset the stream: its answer is still on the way.
    messages: splitMessages(stream.iterator({ destroyOnReturn: false })),
    send: async (...messages) => {
      if (stream.destroyed) throw new Error('the engine closed the call');
      stream.write(frame(messages));
      // Waiting for every write to leave would cost a turn of the engine for each: some may be on the way.
      if (stream.writableLength > IN_FLIGHT_BYTES) await drained(stream);
    },
  };
}

/** Length-prefixed messages, not compressed, in one buffer: fewer writes for many small messages. */
function frame(messages: readonly Uint8Array[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const message of messages) {
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    parts.push(prefix, message);
  }
  return Buffer.concat(parts);
}
