import type { Clock } from '../model/ports/clock.ts';

export interface GateParts {
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  /** Whether others have more to do than they get done, and are waited for. */
  readonly isBusy: () => boolean;
  /** Nobody waits any more. */
  readonly closing: AbortSignal;
}

/** So long at most somebody waits for those who wait for answers. */
const LONGEST_WAIT_MS = 5000;
const LOOK_MS = 25;
/** Let through at each look while others are busy: some always go on, and fewer where turns of the event loop are long. */
const WHILE_BUSY = 2;
/** The same of those that have waited long enough: not all at once. */
const OVERDUE = 8;
const WHEN_FREE = 64;

interface Waiter {
  readonly sinceMs: number;
  readonly go: () => void;
}

/** Lets a crowd of deliveries go first: a forge waits for an answer, and a run can be there a second later. One sleep for all who wait. */
export class CrowdGate {
  readonly #parts: GateParts;
  /** Oldest first. */
  readonly #waiting: Waiter[] = [];
  #looking = false;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /** Resolves when it is one's turn. */
  pass(): Promise<void> {
    const { clock, isBusy, closing } = this.#parts;
    if (closing.aborted || (this.#waiting.length === 0 && !isBusy())) return Promise.resolve();
    const passed = new Promise<void>((go) => this.#waiting.push({ sinceMs: clock.monotonicMs(), go }));
    if (!this.#looking) void this.#look();
    return passed;
  }

  async #look(): Promise<void> {
    const { clock, closing } = this.#parts;
    this.#looking = true;
    while (this.#waiting.length > 0) {
      await clock.sleep(LOOK_MS, closing);
      const free = closing.aborted ? this.#waiting.length : this.#free();
      for (const { go } of this.#waiting.splice(0, free)) go();
    }
    this.#looking = false;
  }

  #free(): number {
    const { clock, isBusy } = this.#parts;
    if (!isBusy()) return WHEN_FREE;
    const since = clock.monotonicMs() - LONGEST_WAIT_MS;
    const overdue = this.#waiting.slice(0, OVERDUE).filter(({ sinceMs }) => sinceMs <= since).length;
    return Math.max(WHILE_BUSY, overdue);
  }
}
