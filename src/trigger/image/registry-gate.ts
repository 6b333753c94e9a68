import { EngineError } from '../../model/engine-error.ts';
import { DOCKER_HUB } from '../../model/image-reference.ts';
import type { Clock } from '../../model/ports/clock.ts';
import { exponentialBackoffMs } from '../../util/backoff.ts';

/** What a registry may be asked. */
export interface GateLimits {
  /** Questions at once. */
  readonly concurrency: number;
  /** Questions a second, and how many of them at one moment. */
  readonly perSecond: number;
  readonly burst: number;
}

/** HEAD counts against no pull limit, but registries have limits against abuse by address. */
export function standardLimits(host: string): GateLimits {
  return host === DOCKER_HUB ? { concurrency: 4, perSecond: 10, burst: 10 } : { concurrency: 4, perSecond: 60, burst: 60 };
}

interface Waiter {
  readonly urgent: boolean;
  readonly go: () => void;
}

const FIRST_BACKOFF = { firstMs: 5_000, longestMs: 600_000 };
const LONGEST_WAIT_MS = 3_600_000;

/** The door to one registry: so many questions at once, so many a second, and none while it wants to be left alone. */
export class RegistryGate {
  readonly #clock: Clock;
  readonly #limits: GateLimits;
  readonly #waiting: Waiter[] = [];
  readonly #closed: AbortSignal;
  #running = 0;
  #tokens: number;
  #filledMs: number;
  #filling = false;
  #failures = 0;
  #backOff: { readonly untilMs: number; readonly asked: boolean; readonly because: string } | undefined;

  constructor(limits: GateLimits, clock: Clock, closed: AbortSignal) {
    this.#limits = limits;
    this.#clock = clock;
    this.#closed = closed;
    this.#tokens = limits.burst;
    this.#filledMs = clock.monotonicMs();
  }

  /** Why it is not asked now, and for how long; undefined when it may be. An urgent question passes unless the registry itself asked to wait. */
  refusal(urgent: boolean): { readonly waitMs: number; readonly because: string } | undefined {
    const backOff = this.#backOff;
    const waitMs = backOff === undefined ? 0 : backOff.untilMs - this.#clock.monotonicMs();
    if (backOff === undefined || waitMs <= 0 || (urgent && !backOff.asked)) return undefined;
    return { waitMs, because: backOff.because };
  }

  /** Runs `ask` when it is its turn; urgent ones first. Its failure makes the registry be left alone for a while, when it is the registry's. */
  async run<T>(urgent: boolean, ask: () => Promise<T>): Promise<T> {
    await this.#turn(urgent);
    try {
      this.#closed.throwIfAborted();
      const refusal = this.refusal(urgent);
      if (refusal !== undefined) throw new RegistryBackOff(refusal.waitMs, refusal.because);
      const value = await ask();
      this.#failures = 0;
      this.#backOff = undefined;
      return value;
    } catch (error) {
      this.#failed(error);
      throw error;
    } finally {
      this.#running -= 1;
      this.#next();
    }
  }

  #turn(urgent: boolean): Promise<void> {
    return new Promise((resolve) => {
      const waiter = { urgent, go: resolve };
      const firstPatient = urgent ? this.#waiting.findIndex((other) => !other.urgent) : -1;
      if (firstPatient === -1) this.#waiting.push(waiter);
      else this.#waiting.splice(firstPatient, 0, waiter);
      this.#next();
    });
  }

  #next(): void {
    while (this.#waiting.length > 0 && this.#running < this.#limits.concurrency && this.#takeToken()) {
      this.#running += 1;
      this.#waiting.shift()?.go();
    }
  }

  /** What waits while the registry is left alone is told so at once: that costs no question. */
  #takeToken(): boolean {
    if (this.#closed.aborted || this.refusal(this.#waiting[0]?.urgent ?? false) !== undefined) return true;
    const now = this.#clock.monotonicMs();
    this.#tokens = Math.min(this.#limits.burst, this.#tokens + ((now - this.#filledMs) / 1000) * this.#limits.perSecond);
    this.#filledMs = now;
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return true;
    }
    void this.#fill();
    return false;
  }

  async #fill(): Promise<void> {
    if (this.#filling) return;
    this.#filling = true;
    await this.#clock.sleep(Math.max(5, ((1 - this.#tokens) / this.#limits.perSecond) * 1000), this.#closed);
    this.#filling = false;
    this.#next();
  }

  #failed(error: unknown): void {
    if (!(error instanceof EngineError) || !(error.transient || error.code === 'registry-unreachable')) return;
    const asked = error.retryAfterMs;
    // Questions that were on their way together are one failure.
    if (asked === undefined && this.refusal(false) !== undefined) return;
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(asked ?? 0, exponentialBackoffMs(this.#failures, FIRST_BACKOFF)));
    const untilMs = this.#clock.monotonicMs() + waitMs;
    this.#failures += 1;
    if (untilMs > (this.#backOff?.untilMs ?? 0)) this.#backOff = { untilMs, asked: asked !== undefined, because: error.message };
  }
}

/** The registry was not asked: it is left alone for a while. */
export class RegistryBackOff extends Error {
  override readonly name = 'RegistryBackOff';
  readonly waitMs: number;

  constructor(waitMs: number, because: string) {
    super(because);
    this.waitMs = waitMs;
  }
}
