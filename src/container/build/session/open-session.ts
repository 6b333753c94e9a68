import type { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { uniqueWord } from '../../../util/unique-word.ts';
import type { EngineTransport } from '../../engine-api.ts';
import type { GrpcHandler } from './grpc-call.ts';

export interface EngineSession {
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  close(): void;
}

/** What `POST /build?session=` names. It protects nothing: who may open the engine's connection may do all that a session may. */
export function newSessionId(): string {
  return uniqueWord(25);
}

/**
 * Opens a BuildKit session: `POST /session` is upgraded to a connection on which the engine is the gRPC client.
 * `sharedKey` names the local directory across builds: the engine asks only for what changed in it since.
 */
export async function openSession(
  transport: EngineTransport,
  options: {
    readonly id: string;
    readonly sharedKey: string;
    readonly services: readonly ReadonlyMap<string, GrpcHandler>[];
  },
): Promise<EngineSession> {
  const handlers = new Map(options.services.flatMap((service) => [...service]));
  const dialing = dial(transport, options.id, options.sharedKey, [...handlers.keys()]);
  dialing.catch(() => undefined);
  // Node's HTTP/2 takes 5 ms to load: the engine gets the request, and that of the build, before.
  await setImmediate();
  const { serveGrpc } = await import('./grpc-server.ts');
  const server = serveGrpc(await dialing, handlers);
  // Node hands what came along with the upgrade to HTTP/2 in the next tick, and fails when the session is gone by then.
  await setImmediate();
  return { closed: server.closed, close: server.close };
}

function dial(transport: EngineTransport, id: string, sharedKey: string, methods: string[]): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    transport.modem.dial(
      {
        path: '/session',
        method: 'POST',
        hijack: true,
        // A body of known length: the end of a chunked one would reach the engine in the middle of HTTP/2.
        file: Buffer.alloc(0),
        headers: {
          Upgrade: 'h2c',
          'X-Docker-Expose-Session-Uuid': id,
          'X-Docker-Expose-Session-Name': 'slipway',
          'X-Docker-Expose-Session-Sharedkey': sharedKey,
          'X-Docker-Expose-Session-Grpc-Method': methods,
        },
        statusCodes: { 101: true, 400: 'bad parameter', 404: 'no sessions', 500: 'server error' },
      },
      (error: unknown, result: unknown) => {
        if (error) reject(error instanceof Error ? error : new Error(String(error)));
        else resolve(result as Duplex);
      },
    );
  });
}
