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
/** So many go on while others are busy. */
const WHILE_BUSY = 3;
/** So long one of them does, before it is another's turn. */
const LONGEST_TURN_MS = 1000;
/** Let through at each look of those that have waited long enough: not all at once. */
const OVERDUE = 2;
const WHEN_FREE = 64;

/** Of one who passes again and again: it waits once, and goes on while it has its turn. */
export interface Turn {
  /** Monotonic; undefined: it has none. */
  sinceMs?: number | undefined;
}

interface Waiter {
  readonly turn: Turn;
  readonly sinceMs: number;
  readonly go: () => void;
}

/** Lets a crowd of deliveries go first: a forge waits for an answer, and a run can be there a second later. One sleep for all who wait. */
export class CrowdGate {
  readonly #parts: GateParts;
  /** Oldest first. */
  readonly #waiting: Waiter[] = [];
  #looking = false;
  /** Turns that are taken. */
  #going = 0;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /** Resolves when it is one's turn. */
  pass(turn: Turn): Promise<void> {
    const { clock, isBusy, closing } = this.#parts;
    const now = clock.monotonicMs();
    if (turn.sinceMs !== undefined && now - turn.sinceMs < LONGEST_TURN_MS) return Promise.resolve();
    this.leave(turn);
    if (closing.aborted || (this.#waiting.length === 0 && !isBusy())) return Promise.resolve();
    const passed = new Promise<void>((go) => this.#waiting.push({ turn, sinceMs: now, go }));
    if (!this.#looking) void this.#look();
    return passed;
  }

  /** It passes no more. */
  leave(turn: Turn): void {
    if (turn.sinceMs === undefined) return;
    turn.sinceMs = undefined;
    this.#going -= 1;
  }

  async #look(): Promise<void> {
    const { clock, closing } = this.#parts;
    this.#looking = true;
    while (this.#waiting.length > 0) {
      await clock.sleep(LOOK_MS, closing);
      const free = closing.aborted ? this.#waiting.length : this.#free();
      for (const { turn, go } of this.#waiting.splice(0, free)) {
        turn.sinceMs = clock.monotonicMs();
        this.#going += 1;
        go();
      }
    }
    this.#looking = false;
  }

  #free(): number {
    const { clock, isBusy } = this.#parts;
    if (!isBusy()) return WHEN_FREE;
    const since = clock.monotonicMs() - LONGEST_WAIT_MS;
    const overdue = this.#waiting.slice(0, OVERDUE).filter(({ sinceMs }) => sinceMs <= since).length;
    return Math.max(WHILE_BUSY - this.#going, overdue);
  }
}
