import { EngineError } from '../model/engine-error.ts';
import type { Clock } from '../model/ports/clock.ts';
import type { EventStore } from '../model/ports/event-store.ts';
import type { TriggerEvent } from '../model/trigger-event.ts';
import { exponentialBackoffMs } from '../util/backoff.ts';

export interface AttemptParts {
  readonly events: Pick<EventStore, 'begin' | 'postpone'>;
  readonly clock: Pick<Clock, 'now'>;
  onProblem(what: string, error: unknown): void;
}

/** Attempts that may fail for other reasons than passing ones, or end the process. */
const MOST_ATTEMPTS = 3;
const BACKOFF = { firstMs: 1000, longestMs: 300_000 };
const LONGEST_ERROR = 1000;

/** How often events were begun, and when one is tried again, or given up. */
export class EventAttempts {
  readonly #parts: AttemptParts;
  /** Begun by this process: what has attempts otherwise was begun by one that ended. */
  readonly #own = new Set<string>();
  /** Postponements for passing reasons, for the back-off. */
  readonly #postponed = new Map<string, number>();

  constructor(parts: AttemptParts) {
    this.#parts = parts;
  }

  /** Whether one attempt more that ends the process is the last. */
  isLast(event: TriggerEvent): boolean {
    return this.#isSuspect(event) && event.attempts >= MOST_ATTEMPTS - 1;
  }

  /** Counts an attempt. False for an event that is given up: it has ended the process too often. */
  async begin(event: TriggerEvent): Promise<boolean> {
    const { id, attempts } = event;
    if (this.#isSuspect(event) && attempts >= MOST_ATTEMPTS) {
      await this.#parts.events.postpone(id, { error: `the daemon ended ${attempts} times while it decided on this event` });
      return false;
    }
    await this.#parts.events.begin([id]);
    this.#own.add(id);
    return true;
  }

  /** Milliseconds until it is tried again; undefined for an event that is given up. `ended`: this process has ended the attempt. */
  async failed(event: TriggerEvent, error: unknown, ended: boolean): Promise<number | undefined> {
    const { events, clock, onProblem } = this.#parts;
    // What was ended is decided on again by the next process, and is not to blame for that.
    const passing = ended || (error instanceof EngineError && error.transient);
    const text = (error instanceof Error ? error.message : String(error)).slice(0, LONGEST_ERROR);
    if (!passing) onProblem(`event ${event.id} (${event.happening.kind}) could not be decided on`, error);
    if (!passing && event.attempts + 1 >= MOST_ATTEMPTS) {
      await events.postpone(event.id, { error: text });
      return undefined;
    }
    const times = this.#postponed.get(event.id) ?? 0;
    this.#postponed.set(event.id, times + 1);
    const waitMs = ended ? 0 : exponentialBackoffMs(times, BACKOFF);
    await events.postpone(event.id, { error: text, retryAt: new Date(clock.now().getTime() + waitMs).toISOString(), passing });
    return waitMs;
  }

  forget(id: string): void {
    this.#own.delete(id);
    this.#postponed.delete(id);
  }

  #isSuspect({ id, attempts }: TriggerEvent): boolean {
    return attempts > 0 && !this.#own.has(id);
  }
}
