import type { Clock } from '../../model/ports/clock.ts';

/** A wall clock that runs ahead of the monotonic one by more was set forward, or the machine slept; less is a correction. */
const JUMP_MS = 5000;
/** Who cannot fire for longer than this is not there; less is a moment's trouble. */
const LONGEST_TROUBLE_MS = 60_000;

/**
 * Since when, by the wall clock, this process has been there to fire timers without a break. Starts, sleeps of the machine, clocks that are set
 * forward and a store that takes nothing for a minute are breaks; work that takes long is none.
 */
export class Presence {
  readonly #clock: Pick<Clock, 'now' | 'monotonicMs'>;
  #sinceMs: number | undefined;
  #seen = { wallMs: 0, monotonicMs: 0 };
  #troubleMs: number | undefined;

  constructor(clock: Pick<Clock, 'now' | 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** To be called at each look, before what is due is read. The first begins the presence. `setBackMs`: the wall clock was, since the last one. */
  look(): { readonly now: Date; readonly since: Date; readonly setBackMs: number } {
    const now = this.#clock.now();
    const wallMs = now.getTime();
    const monotonicMs = this.#clock.monotonicMs();
    const jumpedMs = wallMs - this.#seen.wallMs - (monotonicMs - this.#seen.monotonicMs);
    const setBackMs = this.#sinceMs !== undefined && jumpedMs < -JUMP_MS ? -jumpedMs : 0;
    this.#seen = { wallMs, monotonicMs };
    const wasAway = this.#sinceMs === undefined || jumpedMs > JUMP_MS || this.#isLongTrouble(monotonicMs);
    // A clock that is set back: what it shows again was not missed.
    this.#sinceMs = wasAway ? wallMs : Math.min(this.#sinceMs ?? wallMs, wallMs);
    return { now, since: new Date(this.#sinceMs), setBackMs };
  }

  /** What is due could not be read or fired. */
  failed(): void {
    this.#troubleMs ??= this.#clock.monotonicMs();
  }

  /** What was due has fired, or nothing was. */
  worked(): void {
    this.#troubleMs = undefined;
  }

  #isLongTrouble(monotonicMs: number): boolean {
    return this.#troubleMs !== undefined && monotonicMs - this.#troubleMs > LONGEST_TROUBLE_MS;
  }
}
