import type { Clock } from '../model/ports/clock.ts';
import type { RunSpace } from '../model/ports/container-engine.ts';
import type { EventLog } from './event-log.ts';
import type { RunInterrupt } from './run-interrupt.ts';

/** SIGKILL follows SIGTERM after this long, if the clean-up's deadline leaves as much. */
const LONGEST_GRACE_MS = 10_000;

/** The grace of a container that is stopped: at most half of the time there is for all of the clean-up. */
export function graceOf(cleanupDeadlineMs: number): number {
  return Math.min(LONGEST_GRACE_MS, cleanupDeadlineMs / 2);
}

export interface CleanupParts {
  readonly clock: Clock;
  readonly interrupt: RunInterrupt;
  readonly deadlineMs: number;
  /** The user does not want to wait any longer. */
  readonly hurry: AbortSignal | undefined;
}

/**
 * The time a run has to leave: it begins when the run is interrupted or, at the latest, when its steps are done, and outlives the
 * signal that canceled the run.
 */
export class Cleanup {
  readonly #parts: CleanupParts;
  readonly #expired = new AbortController();
  readonly #over = new AbortController();
  #begun = false;

  constructor(parts: CleanupParts) {
    this.#parts = parts;
    const { interrupt, hurry } = parts;
    if (hurry?.aborted === true) this.#expired.abort();
    hurry?.addEventListener('abort', () => this.#expired.abort(), { once: true, signal: this.#over.signal });
    if (interrupt.signal.aborted) this.begin();
    else interrupt.signal.addEventListener('abort', () => this.begin(), { once: true, signal: this.#over.signal });
  }

  /** Aborts when the deadline has passed or the user is in a hurry. */
  get signal(): AbortSignal {
    return this.#expired.signal;
  }

  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    void this.#parts.clock.sleep(this.#parts.deadlineMs, this.#over.signal).then(() => {
      if (!this.#over.signal.aborted) this.#expired.abort();
    });
  }

  /**
   * Resolves true when `steps` do. After an interruption they have the grace of a container and half of what is left of the deadline;
   * then it resolves false, and what still runs is removed by force.
   */
  async settle(steps: Promise<void>): Promise<boolean> {
    const { clock, interrupt, deadlineMs } = this.#parts;
    const settled = new AbortController();
    const graceMs = graceOf(deadlineMs);
    const patience = (async (): Promise<boolean> => {
      await whenAborted(interrupt.signal);
      await clock.sleep(graceMs + (deadlineMs - graceMs) / 2, AbortSignal.any([settled.signal, this.signal]));
      return false;
    })();
    try {
      return await Promise.race([steps.then(() => true), patience]);
    } finally {
      settled.abort();
    }
  }

  /** Destroys the run's space once, and tells what stayed behind. Never rejects. */
  async destroy(space: RunSpace, emit: EventLog['emit']): Promise<void> {
    this.begin();
    try {
      const left = await space.destroy({ signal: this.signal });
      if (left.length === 0) return;
      const names = left.map((thing) => `${thing.kind} ${thing.name}`).join(', ');
      void emit({ type: 'note', level: 'warning', message: `not removed: ${names}; the next run or \`task doctor --fix\` does it` });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      void emit({ type: 'note', level: 'warning', message: `cleaning up failed: ${text}; the next run or \`task doctor --fix\` does it` });
    }
  }

  /** Ends the timers. */
  end(): void {
    this.#over.abort();
  }
}

/** Resolves when the signal aborts; at once when it has. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
