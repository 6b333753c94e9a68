import type { Clock } from '../model/ports/clock.ts';
import type { EventStore } from '../model/ports/event-store.ts';

export interface WaiterParts {
  readonly events: Pick<EventStore, 'get'>;
  readonly clock: Clock;
  onProblem(what: string, error: unknown): void;
}

const LONGEST_SLEEP_MS = 30_000;

/** Who waits until events are decided on. */
export class EventWaiters {
  readonly #parts: WaiterParts;
  readonly #waiters = new Set<{ readonly pending: Set<string>; readonly resolve: () => void }>();

  constructor(parts: WaiterParts) {
    this.#parts = parts;
  }

  /** Resolves when none of these is pending any more, or when `signal` aborts. */
  async settled(ids: readonly string[], signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const waiter = { pending: new Set(ids), resolve: () => ended.abort() };
    this.#waiters.add(waiter);
    try {
      await this.#dropEnded(waiter.pending);
      const either = AbortSignal.any([signal, ended.signal]);
      while (waiter.pending.size > 0 && !either.aborted) await this.#parts.clock.sleep(LONGEST_SLEEP_MS, either);
    } finally {
      this.#waiters.delete(waiter);
    }
  }

  /** The event is not pending any more. */
  ended(id: string): void {
    for (const waiter of this.#waiters) if (waiter.pending.delete(id) && waiter.pending.size === 0) waiter.resolve();
  }

  /** Lets all go. */
  close(): void {
    for (const { resolve } of this.#waiters) resolve();
  }

  async #dropEnded(pending: Set<string>): Promise<void> {
    for (const id of [...pending]) {
      const event = await this.#parts.events.get(id).catch((error: unknown) => {
        this.#parts.onProblem(`event ${id} could not be read`, error);
        return undefined;
      });
      if (event?.status !== 'pending') pending.delete(id);
    }
  }
}
