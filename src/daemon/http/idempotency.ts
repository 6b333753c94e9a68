import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import type { RouteEntry } from '../../api/route-entry.ts';
import { EngineError } from '../../model/engine-error.ts';
import type { Principal } from '../../model/security.ts';
import type { HttpLimits } from './options.ts';
import { RetryLater } from './problem.ts';
import type { HttpServices } from './services.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;

/** An answer as it is kept for a repeated request. */
export interface KeptAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What becomes of a key that a request has taken. */
export interface TakenKey {
  /** Unique for who asks and the key; what is made with it carries it, so that it is made once even when this process dies before the answer is kept. */
  readonly name: string;
  /** The answer is kept and given again to the same request (IDEMPOTENCY_KEPT_MS). */
  complete(answer: KeptAnswer): Promise<void>;
  /** The key is free again: the request had no effect that a repeat would double. */
  abandon(): Promise<void>;
}

/**
 * Takes the `Idempotency-Key` of a request, if it has one. Gives back the kept answer of the same request, or the taken key. Throws
 * `idempotency-mismatch` when the key came with another request, and `conflict` while the first is still at work. Keys belong to who asks. A
 * key of a process that died is free after a minute. Answers are sealed: that of a new token holds it.
 */
export async function takeKey(
  route: RouteEntry,
  request: FastifyRequest,
  principal: Principal,
  services: Pick<HttpServices, 'store' | 'box'>,
  limits: Pick<HttpLimits, 'idempotencyStaleMs' | 'idempotencyPatienceMs'>,
): Promise<{ readonly replay: KeptAnswer } | { readonly taken: TakenKey } | undefined> {
  const key = route.creates ? request.headers['idempotency-key'] : undefined;
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !KEY.test(key)) {
    throw new EngineError('invalid-request', '`Idempotency-Key` has 1 to 255 printable ASCII characters without blanks');
  }
  const { store, box } = services;
  const owner = { principal: principal.tokenId ?? principal.name, key };
  const boundTo = `idempotency:${owner.principal}:${key}`;
  const begun = await begin(
    store,
    { ...owner, fingerprint: fingerprintOf(request), staleMs: limits.idempotencyStaleMs },
    limits.idempotencyPatienceMs,
  );
  switch (begun.kind) {
    case 'mismatch':
      throw new EngineError('idempotency-mismatch', `the key ${JSON.stringify(key)} came with another request before`);
    case 'running':
      throw new RetryLater('conflict', 'the first request with this key is still at work', 1);
    case 'replay': {
      const body = box.open(Buffer.from(begun.body, 'base64'), boundTo).toString('utf8');
      return { replay: { status: begun.status, headers: begun.headers, body } };
    }
    case 'new':
      return {
        taken: {
          name: `${owner.principal} ${key}`,
          complete: (answer) =>
            store.idempotency.complete(owner, { ...answer, body: Buffer.from(box.seal(answer.body, boundTo)).toString('base64') }),
          abandon: () => store.idempotency.abandon(owner),
        },
      };
  }
}

type Begun = Awaited<ReturnType<HttpServices['store']['idempotency']['begin']>>;

const FIRST_LOOK_MS = 10;

/** A repeat that comes while the first is at work waits for its answer, for a while. */
async function begin(store: HttpServices['store'], key: Parameters<typeof store.idempotency.begin>[0], patienceMs: number): Promise<Begun> {
  for (let pause = FIRST_LOOK_MS, waited = 0; ; waited += pause, pause = Math.min(pause * 2, 500)) {
    const begun = await store.idempotency.begin(key);
    if (begun.kind !== 'running' || waited >= patienceMs) return begun;
    await sleep(pause);
  }
}

/** Of what was asked, after its defaults were filled in. */
function fingerprintOf({ method, url, body }: FastifyRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([method, url, body ?? null]))
    .digest('hex');
}
