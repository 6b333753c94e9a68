import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { EngineError } from '../../model/engine-error.ts';
import type { HookAnswer } from '../../trigger/hook-intake.ts';
import type { HttpMetrics } from '../metrics.ts';
import { type BodyHold, BodyRoom } from './body-room.ts';
import { noRoom, readHookBody, tooLarge } from './hook-body.ts';
import type { HttpLimits } from './options.ts';
import { RetryLater } from './problem.ts';
import { RefusedProofs } from './refused-proofs.ts';
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
/** Of a sender whose proofs were refused too often. */
const MOST_WHEN_REFUSED = 1024 * 1024;

/**
 * `POST /hooks/ID[/SECRET]`, where forges and registries deliver. Before a byte of the body is read it is known that there is such a hook;
 * the body is capped while it is read, for one delivery and for all that are read at once.
 */
export async function addHookRoutes(app: FastifyInstance, parts: HookParts): Promise<void> {
  const { limits } = parts;
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    const bodies = new HookBodies(limits);
    scope.addContentTypeParser('*', (request: FastifyRequest, payload: IncomingMessage) => bodies.read(request, payload));
    for (const url of ['/hooks/:id', '/hooks/:id/:secret']) {
      scope.route({
        ...{ method: 'POST', url, bodyLimit: limits.hookBytes },
        schema: { hide: true },
        // Each hook has its own count, which is the intake's.
        config: { delivery: true, rateLimit: false },
        preParsing: async (request, reply) => {
          limitBodyTime(request, limits.bodyMs);
          await checkHook(request, parts.intake);
          reply.raw.once('close', () => bodies.release(request));
        },
        handler: async (request, reply) => {
          const status = await deliver(request, reply, parts);
          if (status === 401) bodies.refused(request);
          return reply;
        },
      });
    }
  });
}

async function checkHook(request: FastifyRequest, intake: Pick<HookOperations, 'knows'>): Promise<void> {
  const { id } = paramsOf(request);
  const known = HOOK_ID.test(id) && (await intake.knows(id).catch((error: unknown) => later(request, error)));
  if (!known) throw new EngineError('not-found', 'there is no such hook');
}

async function deliver(request: FastifyRequest, reply: FastifyReply, { intake, metrics }: HookParts): Promise<number> {
  const { id, secret } = paramsOf(request);
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const answer = await intake.receive(id, { headers: headersOf(request), body, ...(secret === undefined ? {} : { pathSecret: secret }) });
  metrics.delivered(resultOf(answer));
  if (answer.retryAfter !== undefined) reply.header('retry-after', String(answer.retryAfter));
  reply.code(answer.status).type('application/json').serializer(JSON.stringify).send(answer.body);
  return answer.status;
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

/** The bodies of deliveries, from their first byte until they are answered. */
class HookBodies {
  readonly #limits: HttpLimits;
  readonly #room: BodyRoom;
  readonly #refused = new RefusedProofs(() => performance.now());
  readonly #holds = new WeakMap<FastifyRequest, BodyHold>();

  constructor(limits: HttpLimits) {
    this.#limits = limits;
    this.#room = new BodyRoom({ bytes: limits.hookBytesAtOnce, most: limits.hookBytes }, () => performance.now());
  }

  read(request: FastifyRequest, payload: IncomingMessage): Promise<Buffer> {
    const { hookBytes: most, bodyMs: ms } = this.#limits;
    const now = this.#refused.areMany(senderOf(request)) ? Math.min(most, MOST_WHEN_REFUSED) : most;
    const declared = Number(request.headers['content-length'] ?? 0);
    if (declared > most) throw tooLarge();
    if (declared > now) throw noRoom();
    return readHookBody(payload, { most, now, ms }, (giveUp) => {
      const hold = this.#room.hold({ hook: paramsOf(request).id, address: request.ip }, giveUp);
      this.#holds.set(request, hold);
      return hold;
    });
  }

  release(request: FastifyRequest): void {
    this.#holds.get(request)?.release();
  }

  refused(request: FastifyRequest): void {
    const sender = senderOf(request);
    request.isNoise = this.#refused.areMany(sender);
    this.#refused.add(sender, Buffer.isBuffer(request.body) ? request.body.length : 0);
  }
}

/** Others at the same hook from elsewhere, or at other hooks, have nothing to do with it. */
function senderOf(request: FastifyRequest): string {
  return `${paramsOf(request).id} ${request.ip}`;
}
