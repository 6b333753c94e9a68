import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { Server as NetServer } from 'node:net';
import { createApp } from './app.ts';
import { createDoor } from './door.ts';
import { RequestGate } from './drain-backlog.ts';
import { createEventFeed } from './event-feed.ts';
import { createGuard, type Guard } from './guard.ts';
import { daemonHandlers } from './handlers/daemon-handlers.ts';
import { eventHandlers } from './handlers/event-handlers.ts';
import { hookHandlers } from './handlers/hook-handlers.ts';
import { runHandlers } from './handlers/run-handlers.ts';
import { securityHandlers } from './handlers/security-handlers.ts';
import { streamHandlers } from './handlers/stream-handlers.ts';
import { taskHandlers } from './handlers/task-handlers.ts';
import { timerHandlers } from './handlers/timer-handlers.ts';
import { createListener, listenUnix } from './listeners.ts';
import { type HttpServerOptions, STANDARD_LIMITS } from './options.ts';
import type { HttpServices } from './services.ts';
import { listenTcp } from './shared-address.ts';
import { createStreamLimit } from './stream-limit.ts';

export interface HttpServer {
  /** Starts to listen. Resolves with where: `url` of TCP (with the port that was taken), path of the socket. */
  listen(): Promise<{ readonly url?: string; readonly port?: number; readonly socket?: string }>;
  /** Open streams. */
  streams(): number;
  /** Answers who is connected already, takes no new connections, ends streams (readers come back with Last-Event-ID), lets requests end for `graceMs`, then cuts them off. */
  close(graceMs?: number): Promise<void>;
}

const CLOSE_GRACE_MS = 5_000;
const LONGEST_DRAIN_MS = 2_000;

/** The API of a daemon over TCP and over a unix socket. */
export async function createHttpServer(services: HttpServices, options: HttpServerOptions): Promise<HttpServer> {
  const limits = { ...STANDARD_LIMITS, ...options.limits };
  const closing = new AbortController();
  const streams = createStreamLimit(limits);
  const feed = createEventFeed(services.hub);
  const unixRequests = new WeakSet<IncomingMessage>();
  let guard = guardOf(options, options.tcp);
  const door = createDoor({
    guard: () => guard,
    overOf: ({ raw }) => (unixRequests.has(raw) ? 'unix' : 'tcp'),
    ...{ tokens: services.tokens, audit: services.audit, metrics: options.metrics, failuresPerMinute: limits.failuresPerMinute },
  });
  const app = await createApp({
    ...{ services, options, limits, door },
    handlers: (description) => ({
      ...taskHandlers(services),
      ...runHandlers(services),
      ...streamHandlers(services, { limits, streams, feed, closing: closing.signal, isStillKnown: door.isStillKnown }),
      ...eventHandlers(services),
      ...hookHandlers(services),
      ...timerHandlers(services),
      ...securityHandlers(services),
      ...daemonHandlers(services, limits, description),
    }),
  });
  const servers: Server[] = [];
  const acceptors: NetServer[] = [];
  const gate = new RequestGate();
  const open = (handle: RequestListener): Server => {
    const server = createListener(gate.guard(handle), limits.connections);
    servers.push(server);
    return server;
  };

  return {
    streams: () => streams.open(),
    listen: async () => {
      if (options.socket !== undefined) {
        await listenUnix(
          open((request, response) => {
            unixRequests.add(request);
            app.routing(request, response);
          }),
          options.socket,
        );
      }
      if (options.tcp !== undefined) {
        const server = open((request, response) => app.routing(request, response));
        const { address, port, acceptors: opened } = await listenTcp(server, options.tcp);
        acceptors.push(...opened);
        guard = guardOf(options, { host: options.tcp.host, port });
        const host = address.includes(':') ? `[${address}]` : address;
        return { url: `http://${host}:${port}`, port, ...(options.socket === undefined ? {} : { socket: options.socket }) };
      }
      return options.socket === undefined ? {} : { socket: options.socket };
    },
    close: async (graceMs = CLOSE_GRACE_MS) => {
      const { ended } = await gate.close([...acceptors, ...servers], LONGEST_DRAIN_MS);
      feed.close();
      closing.abort();
      for (const server of servers) server.closeIdleConnections();
      const cut = setTimeout(() => {
        for (const server of servers) server.closeAllConnections();
      }, graceMs);
      await ended;
      clearTimeout(cut);
      await app.close();
    },
  };
}

function guardOf(options: HttpServerOptions, listen: HttpServerOptions['tcp']): Guard {
  return createGuard({ listen, publicUrl: options.publicUrl, allowedHosts: options.allowedHosts ?? [] });
}
