import type { Clock } from '../../model/ports/clock.ts';
import type { HeldRun } from './held-run.ts';

/** Leases last this long without a word of their agent; it renews every third of it. */
export const LEASE_MS = 15_000;
/** A lost agent's running steps go on without it: so long it may come back to them. */
export const GONE_MS = 300_000;

export interface LeaseTimes {
  readonly leaseMs: number;
  readonly goneMs: number;
}

export interface LeaseKeeperParts extends LeaseTimes {
  readonly clock: Clock;
  /** The lease has expired. Tried again at the next look when it rejects. */
  onExpired(held: HeldRun): Promise<void>;
  /** The agent has not come back in time. Tried again at the next look when it rejects. */
  onGone(held: HeldRun): Promise<void>;
  onProblem(run: string, error: unknown): void;
}

/**
 * Which runs agents hold, and until when, by the monotonic clock: a jump of the wall clock expires nothing. Looks at every fifth of a lease,
 * so a lost agent is noticed within 1.2 leases (18 s). A look that comes late itself (this process was stopped or busy, so it could hear
 * nobody) gives every lease the lost time back.
 */
export class LeaseKeeper {
  readonly #parts: LeaseKeeperParts;
  readonly #held = new Map<string, HeldRun>();
  readonly #over = new AbortController();
  #watching: Promise<void> | undefined;

  constructor(parts: LeaseKeeperParts) {
    this.#parts = parts;
  }

  get(run: string): HeldRun | undefined {
    return this.#held.get(run);
  }

  of(agent: string): readonly HeldRun[] {
    return [...this.#held.values()].filter((held) => held.agent === agent);
  }

  add(held: HeldRun): void {
    this.#held.set(held.run, held);
    this.#watching ??= this.#watch();
  }

  /** Only this very holding: another one of the run stays. */
  remove(held: HeldRun): void {
    if (this.#held.get(held.run) === held) this.#held.delete(held.run);
  }

  renew(held: HeldRun): void {
    held.expiresAtMs = this.expiry();
    held.goneAtMs = undefined;
  }

  expiry(): number {
    return this.#parts.clock.monotonicMs() + this.#parts.leaseMs;
  }

  async close(): Promise<void> {
    this.#over.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { clock, leaseMs } = this.#parts;
    const { signal } = this.#over;
    const everyMs = leaseMs / 5;
    while (this.#held.size > 0 && !signal.aborted) {
      const dueMs = clock.monotonicMs() + everyMs;
      await clock.sleep(everyMs, signal);
      if (signal.aborted) break;
      const lateMs = clock.monotonicMs() - dueMs;
      if (lateMs > everyMs) for (const held of this.#held.values()) held.expiresAtMs += lateMs;
      await this.#look();
    }
    this.#watching = undefined;
  }

  async #look(): Promise<void> {
    const { clock, onProblem } = this.#parts;
    const now = clock.monotonicMs();
    for (const held of [...this.#held.values()]) {
      if (held.expiresAtMs > now) continue;
      try {
        await this.#lookAt(held, now);
      } catch (error) {
        onProblem(held.run, error);
      }
    }
  }

  async #lookAt(held: HeldRun, now: number): Promise<void> {
    const { goneMs, onExpired, onGone } = this.#parts;
    if (held.goneAtMs === undefined) {
      await onExpired(held);
      // Unless its agent has been heard of meanwhile.
      if (held.expiresAtMs <= now) held.goneAtMs = held.expiresAtMs + goneMs;
    } else if (held.goneAtMs <= now) await onGone(held);
  }
}
