import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RouteEntry } from '../../api/route-entry.ts';
import { EngineError } from '../../model/engine-error.ts';
import type { Principal } from '../../model/security.ts';
import type { Audit } from '../../service/security/audit.ts';
import type { HttpMetrics } from '../metrics.ts';
import { authoriseRoute } from './access.ts';
import { addressOf, authenticate } from './authentication.ts';
import type { Guard } from './guard.ts';
import { RetryLater } from './problem.ts';
import type { HttpServices } from './services.ts';

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | undefined;
  }
  interface FastifyContextConfig {
    entry?: RouteEntry;
  }
}

/** What every request passes before a byte of its body is read. */
export interface Door {
  pass(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** Whether whoever asked would still be let in: tokens end while their answers go on. A store that fails says nothing against it. */
  isStillKnown(request: FastifyRequest): Promise<boolean>;
  /** Which count of requests it belongs to. */
  keyOf(request: FastifyRequest): string;
  isLocal(request: FastifyRequest): boolean;
}

interface DoorParts {
  readonly guard: () => Guard;
  readonly overOf: (request: FastifyRequest) => 'unix' | 'tcp';
  readonly tokens: HttpServices['tokens'];
  readonly audit: Audit;
  readonly metrics: HttpMetrics;
  readonly failuresPerMinute: number;
}

const FAILURE_WINDOW_MS = 60_000;
/** Addresses whose failures are counted; beyond it counting starts anew. */
const MOST_ADDRESSES = 10_000;

export function guardDoor(app: FastifyInstance, door: Door): void {
  app.decorateRequest('principal', undefined);
  app.addHook('onRequest', (request, reply) => door.pass(request, reply));
}

export function createDoor(parts: DoorParts): Door {
  const failures = createFailures(parts.failuresPerMinute);
  const principalOf = async (request: FastifyRequest): Promise<Principal> => {
    const over = parts.overOf(request);
    const address = addressOf(request, over);
    try {
      return await authenticate(request, over, parts.tokens);
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== 'unauthenticated') throw error;
      parts.metrics.refusedProof();
      // What comes after the limit is neither looked at twice nor written down.
      const seconds = failures.add(address);
      if (seconds > 0) throw new RetryLater('rate-limited', 'too many requests without a valid token', seconds);
      if (request.headers.authorization !== undefined) {
        await parts.audit.record({ name: 'unknown', from: address }, refusedEvent(request, error));
      }
      throw error;
    }
  };
  return {
    pass: async (request) => {
      if (request.routeOptions.config.delivery === true) return;
      const over = parts.overOf(request);
      if (over === 'tcp') parts.guard().checkHost(request.headers.host);
      parts.guard().checkOrigin(request.headers.origin);
      const entry = request.routeOptions.config.entry;
      // A path that is no route tells nothing to strangers either.
      if (entry?.scope === 'none') return;
      const principal = await principalOf(request);
      request.principal = principal;
      if (entry === undefined) return;
      try {
        authoriseRoute(entry, principal);
      } catch (error) {
        if (entry.changes && error instanceof EngineError && failures.add(`refused ${principal.name}`) === 0) {
          await parts.audit.record(principal, refusedEvent(request, error));
        }
        throw error;
      }
      checkBodyKind(request, entry);
    },
    isStillKnown: (request) =>
      authenticate(request, parts.overOf(request), parts.tokens).then(
        () => true,
        (error: unknown) => !(error instanceof EngineError && error.code === 'unauthenticated'),
      ),
    keyOf: (request) => request.principal?.tokenId ?? addressOf(request, parts.overOf(request)),
    isLocal: (request) => parts.overOf(request) === 'unix' && request.principal?.tokenId === undefined,
  };
}

function refusedEvent(request: FastifyRequest, error: EngineError) {
  return {
    action: 'auth.refused',
    target: `${request.method} ${request.url.split('?', 1)[0] ?? ''}`,
    outcome: 'refused' as const,
    details: { because: error.message },
  };
}

/** Bytes only where a context is sent, JSON only elsewhere. What is neither has no parser. */
function checkBodyKind({ headers }: FastifyRequest, { body }: RouteEntry): void {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (type === undefined && !hasBody) return;
  const isBytes = type === 'application/octet-stream' || type === 'application/x-tar';
  const isJson = type === 'application/json' || type === 'application/merge-patch+json';
  if (body?.kind === 'bytes' ? !isBytes : !isJson) {
    const wanted = body?.kind === 'bytes' ? '`application/x-tar` or `application/octet-stream`' : '`application/json`';
    throw new EngineError('unsupported-media-type', `the body is ${JSON.stringify(type ?? 'of no kind')}; this route takes ${wanted}`);
  }
}

/** Counts by key within a minute. */
function createFailures(most: number): { add(key: string): number } {
  let counts = new Map<string, { count: number; until: number }>();
  return {
    /** 0 while it may go on, else the seconds to wait. */
    add: (key) => {
      const now = performance.now();
      const known = counts.get(key);
      if (known === undefined || known.until <= now) {
        if (counts.size >= MOST_ADDRESSES) counts = new Map();
        counts.set(key, { count: 1, until: now + FAILURE_WINDOW_MS });
        return 0;
      }
      known.count += 1;
      return known.count > most ? Math.ceil((known.until - now) / 1000) : 0;
    },
  };
}
