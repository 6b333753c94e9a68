import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { HttpMetrics } from '../metrics.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** One of so many of its kind that a line for each would only fill the log. */
    isNoise?: boolean;
  }
}

const GIVEN_ID = /^[A-Za-z0-9._-]{8,64}$/;

/** A proxy's or client's id when it looks like one, so that a request can be followed through. */
export function requestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && GIVEN_ID.test(given) ? given : randomBytes(9).toString('base64url');
}

/** One line a request. Headers, queries and bodies are left out: tokens and secrets stand there. */
export function logRequests(app: FastifyInstance, metrics: HttpMetrics): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    metrics.answered({ method: request.method, route, status: reply.statusCode, seconds: reply.elapsedTime / 1000 });
    const isQuiet = route === '/healthz' || route === '/readyz' || request.isNoise === true;
    const level = reply.statusCode >= 500 ? 'error' : isQuiet ? 'debug' : 'info';
    request.log[level](
      {
        method: request.method,
        path: shownPath(request.url),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        ...(request.principal === undefined ? {} : { principal: request.principal.name, from: request.principal.from }),
      },
      'request',
    );
  });
}

/** Without the query; a token that somebody wrote into the path, and the secret of a hook, are cut out. */
function shownPath(url: string): string {
  const [path = ''] = url.split('?', 1);
  return path
    .slice(0, 300)
    .replaceAll(/slw_[\w-]+/g, 'slw_…')
    .replace(/^(\/hooks\/[^/]*\/).+$/, '$1…');
}
