import type { Readiness } from '../api/daemon-schema.ts';
import type { Clock } from '../model/ports/clock.ts';
import type { ContainerEngine } from '../model/ports/container-engine.ts';
import type { Store } from '../model/ports/store.ts';

export interface ReadinessParts {
  readonly store: Pick<Store, 'ping'>;
  readonly engine: Pick<ContainerEngine, 'findImage'>;
  readonly clock: Clock;
  diskRefusal(): Promise<string | undefined>;
  /** Why requests may reach somebody else. */
  addressRefusal(): string | undefined;
  draining(): boolean;
}

/** An image that nobody has: asking for it asks whether the engine answers. */
const NO_IMAGE = 'slipway/readiness:none';
const ENGINE_ANSWER_MS = 3000;
/** The engine is asked at most this often, however often somebody asks the daemon. */
const ENGINE_KEPT_MS = 5000;

/** Whether the daemon can take and carry out runs, check by check. */
export function createReadiness(parts: ReadinessParts): () => Promise<Readiness> {
  let engine: { readonly at: number; readonly because: Promise<string | undefined> } | undefined;
  return async () => {
    const now = parts.clock.monotonicMs();
    if (engine === undefined || now - engine.at > ENGINE_KEPT_MS) engine = { at: now, because: engineRefusal(parts) };
    const checks = await Promise.all([
      check('store', reasonOf(parts.store.ping())),
      check('engine', engine.because),
      check('disk', parts.diskRefusal()),
      check('address', Promise.resolve(parts.addressRefusal())),
      check('accepting', Promise.resolve(parts.draining() ? 'the daemon is ending' : undefined)),
    ]);
    return { ready: checks.every(({ ok }) => ok), checks };
  };
}

async function check(name: string, refusal: Promise<string | undefined>): Promise<Readiness['checks'][number]> {
  const because = await refusal;
  return because === undefined ? { name, ok: true } : { name, ok: false, because };
}

async function engineRefusal({ engine, clock }: ReadinessParts): Promise<string | undefined> {
  const answered = new AbortController();
  const late = clock.sleep(ENGINE_ANSWER_MS, answered.signal).then(() => `the engine did not answer within ${ENGINE_ANSWER_MS / 1000} s`);
  const because = await Promise.race([reasonOf(engine.findImage(NO_IMAGE)), late]);
  answered.abort();
  return because;
}

async function reasonOf(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}
