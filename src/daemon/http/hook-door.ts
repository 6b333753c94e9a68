import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { EngineError } from '../../model/engine-error.ts';
import type { HookAnswer } from '../../trigger/hook-intake.ts';
import type { HttpMetrics } from '../metrics.ts';
import type { HttpLimits } from './options.ts';
import { RetryLater } from './problem.ts';
import { limitBodyTime } from './slow-bodies.ts';
import type { HookOperations } from './trigger-operations.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whoever sends shows by the body or a header that it is genuine: no token, no host and no origin is asked for. */
    delivery?: boolean;
  }
}

interface HookParts {
  readonly intake: HookOperations;
  readonly limits: HttpLimits;
  readonly metrics: Pick<HttpMetrics, 'delivered'>;
}

interface HookParams {
  readonly id: string;
  readonly secret?: string;
}

const HOOK_ID = /^[A-Za-z0-9_-]{22}$/;
const RETRY_SECONDS = 5;

/**
 * `POST /hooks/ID[/SECRET]`, where forges and registries deliver. Before a byte of the body is read it is known that there is such a hook;
 * the body is capped while it is read, for one delivery and for all that are read at once.
 */
export async function addHookRoutes(app: FastifyInstance, parts: HookParts): Promise<void> {
  const { limits } = parts;
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: limits.hookBytes }, (_request, body, done) => done(null, body));
    const room = new Room(limits.hookBytesAtOnce);
    for (const url of ['/hooks/:id', '/hooks/:id/:secret']) {
      scope.route({
        ...{ method: 'POST', url, bodyLimit: limits.hookBytes },
        schema: { hide: true },
        // Each hook has its own count, which is the intake's.
        config: { delivery: true, rateLimit: false },
        preParsing: async (request, reply) => {
          await checkHook(request, parts.intake);
          room.take(request, reply, limits.hookBytes);
          limitBodyTime(request, reply, limits.bodyMs);
        },
        handler: (request, reply) => deliver(request, reply, parts),
      });
    }
  });
}

async function checkHook(request: FastifyRequest, intake: Pick<HookOperations, 'knows'>): Promise<void> {
  const { id } = paramsOf(request);
  const known = HOOK_ID.test(id) && (await intake.knows(id).catch((error: unknown) => later(request, error)));
  if (!known) throw new EngineError('not-found', 'there is no such hook');
}

async function deliver(request: FastifyRequest, reply: FastifyReply, { intake, metrics }: HookParts): Promise<FastifyReply> {
  const { id, secret } = paramsOf(request);
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const answer = await intake.receive(id, { headers: headersOf(request), body, ...(secret === undefined ? {} : { pathSecret: secret }) });
  metrics.delivered(resultOf(answer));
  if (answer.retryAfter !== undefined) reply.header('retry-after', String(answer.retryAfter));
  return reply.code(answer.status).type('application/json').serializer(JSON.stringify).send(answer.body);
}

function resultOf({ status, body }: HookAnswer): string {
  if (status >= 500) return 'failed';
  if (status >= 400) return 'refused';
  if (body.ping === true) return 'ping';
  return body.ignored !== undefined ? 'ignored' : body.duplicate === true ? 'known' : 'taken';
}

/** What could not be stored is to be sent again: most forges do so for a 503, and for nothing else. */
function later(request: FastifyRequest, error: unknown): never {
  request.log.error({ err: error }, 'a delivery could not be taken');
  throw new RetryLater('store-failed', 'the delivery could not be stored; send it again', RETRY_SECONDS);
}

function paramsOf({ params }: FastifyRequest): HookParams {
  // As the paths of the routes have them.
  return params as HookParams;
}

/** Of repeated headers the first; Node has joined most of them already. */
function headersOf({ headers }: FastifyRequest): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const first = Array.isArray(value) ? value[0] : value;
      return first === undefined ? [] : [[name, first]];
    }),
  );
}

/** Memory for bodies that are being read: nobody has proved anything by then. */
class Room {
  #free: number;

  constructor(bytes: number) {
    this.#free = bytes;
  }

  /** Throws 503 when there is none for this body; gives it back with the answer. */
  take(request: FastifyRequest, reply: FastifyReply, most: number): void {
    const declared = Number(request.headers['content-length'] ?? most);
    const bytes = Math.min(Number.isFinite(declared) ? declared : most, most);
    if (bytes > this.#free) throw new RetryLater('overloaded', 'too many deliveries are being read', RETRY_SECONDS);
    this.#free -= bytes;
    reply.raw.once('close', () => {
      this.#free += bytes;
    });
  }
}
