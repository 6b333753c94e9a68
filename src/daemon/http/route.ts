import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RouteEntry } from '../../api/route-entry.ts';
import type { ROUTES, RouteName } from '../../api/routes.ts';
import { EngineError } from '../../model/engine-error.ts';
import type { RunRecord } from '../../model/run-record.ts';
import type { Principal } from '../../model/security.ts';
import { authoriseTarget } from './access.ts';
import type { Door } from './door.ts';
import type { Handlers, Streamed } from './handlers/call.ts';
import { type KeptAnswer, type TakenKey, takeKey } from './idempotency.ts';
import type { HttpLimits } from './options.ts';
import { schemaOf } from './route-schema.ts';
import type { HttpServices } from './services.ts';
import { limitBodyTime } from './slow-bodies.ts';

declare module 'fastify' {
  interface FastifyRequest {
    run: RunRecord | undefined;
    takenKey: TakenKey | undefined;
  }
}

interface RouteParts {
  readonly services: HttpServices;
  readonly limits: HttpLimits;
  readonly door: Door;
}

/** As handlers are called here: what the table says of a route's types is checked where the handler is written. */
type AnyHandler = (call: Readonly<Record<string, unknown>>) => Promise<AnyAnswer>;
type AnyAnswer =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>>; readonly stream?: undefined }
  | (Streamed & { readonly status?: undefined });

const NOBODY: Principal = { name: 'nobody', role: 'viewer', scopes: [], tasks: [], from: '' };
/** Headers of an answer that a repeated request gets again. */
const KEPT_HEADERS = ['content-type', 'location', 'etag'];

export function addRoute(app: FastifyInstance, route: (typeof ROUTES)[number], handlers: Handlers, parts: RouteParts): void {
  const entry: RouteEntry = route;
  const handler = handlers[route.name as RouteName] as unknown as AnyHandler;
  app.route({
    method: entry.method,
    url: entry.path,
    schema: schemaOf(entry),
    config: { entry },
    bodyLimit: bodyLimitOf(entry, parts.limits),
    onRequest: (request, _reply, done) => {
      if (entry.body?.kind === 'json') limitBodyTime(request, parts.limits.bodyMs);
      done();
    },
    preValidation: async (request) => {
      if (entry.body?.kind === 'json' && entry.body.optional === true) request.body ??= {};
    },
    preHandler: (request, reply) => prepare(entry, request, reply, parts),
    onSend: async (request, reply, payload) => {
      await keepAnswer(request, reply, payload);
      return payload;
    },
    handler: async (request, reply) => {
      const answer = await handler({
        ...{ request, reply, params: request.params, query: request.query, body: request.body },
        ...{ principal: request.principal ?? NOBODY, run: request.run, version: entry.ifMatch === true ? versionOf(request) : undefined },
      });
      return send(reply, answer);
    },
  });
}

/** After the request was checked: rights on what it names, then the key of a repeated request. */
async function prepare(
  entry: RouteEntry,
  request: FastifyRequest,
  reply: FastifyReply,
  { services, limits }: RouteParts,
): Promise<unknown> {
  const { principal } = request;
  if (principal === undefined) return undefined;
  const named = { params: recordOf(request.params), query: recordOf(request.query), body: request.body };
  request.run = await authoriseTarget(entry, principal, named, services.store.runs);
  const key = await takeKey(entry, request, principal, services, limits);
  if (key === undefined) return undefined;
  if ('replay' in key) return replay(reply, key.replay);
  request.takenKey = key.taken;
  return undefined;
}

function replay(reply: FastifyReply, { status, body, headers }: KeptAnswer): FastifyReply {
  return reply.code(status).headers(headers).header('idempotency-replayed', 'true').serializer(String).send(body);
}

/** Only what was done is answered again: a request that was refused or failed had no effect, and the next try may do better. */
async function keepAnswer(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<void> {
  const key = request.takenKey;
  if (key === undefined) return;
  request.takenKey = undefined;
  if (reply.statusCode >= 400 || typeof payload !== 'string') return key.abandon();
  const headers = KEPT_HEADERS.flatMap((name) => {
    const value = reply.getHeader(name);
    return typeof value === 'string' ? [[name, value]] : [];
  });
  await key.complete({ status: reply.statusCode, body: payload, headers: Object.fromEntries(headers) });
}

function send(reply: FastifyReply, answer: AnyAnswer): FastifyReply {
  if (answer.headers !== undefined) reply.headers(answer.headers);
  if (answer.stream !== undefined) return reply.code(200).type(answer.type).serializer(String).send(answer.stream);
  return reply.code(answer.status).send(answer.body);
}

function bodyLimitOf({ name, body }: RouteEntry, limits: HttpLimits): number {
  if (body?.kind === 'bytes') return limits.uploadBytes;
  return name === 'apply' ? limits.applyBytes : limits.bodyBytes;
}

/** `If-Match: "3"`. `*` asks only that the task is there, which every change does. */
function versionOf({ headers }: FastifyRequest): number | undefined {
  const text = headers['if-match'];
  if (text === undefined || text === '*') return undefined;
  const [, version] = /^(?:W\/)?"(\d{1,15})"$/.exec(text) ?? [];
  if (version === undefined) throw new EngineError('invalid-request', '`If-Match` is no etag of a task: `"3"`');
  return Number(version);
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
