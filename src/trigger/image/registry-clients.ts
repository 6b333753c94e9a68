import type { Clock } from '../../model/ports/clock.ts';
import type { Registry } from '../../model/ports/registry.ts';

/** A credential that was changed is used no longer than this. */
const KEPT_MS = 300_000;

interface Kept {
  readonly client: Promise<Registry>;
  readonly untilMs: number;
}

/** One client for each host and credential, for a while: it keeps connections and tokens. */
export class RegistryClients {
  readonly #open: (credential: string, host: string) => Promise<Registry>;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(open: (credential: string, host: string) => Promise<Registry>, clock: Clock) {
    this.#open = open;
    this.#clock = clock;
  }

  /** Rejects as opening does; the next call tries again. */
  get(credential: string, host: string): Promise<Registry> {
    const key = JSON.stringify([credential, host]);
    const now = this.#clock.monotonicMs();
    const known = this.#kept.get(key);
    if (known !== undefined && known.untilMs > now) return known.client;
    for (const [other, { untilMs }] of this.#kept) if (untilMs <= now) this.#kept.delete(other);
    const client = this.#open(credential, host);
    this.#kept.set(key, { client, untilMs: now + KEPT_MS });
    client.catch(() => this.#kept.delete(key));
    return client;
  }
}
