import type { Clock } from '../../model/ports/clock.ts';

/**
 * Calls back for each name when its time is up: one timer for the earliest. By the monotonic clock: a jump of the wall clock moves nothing.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #onDue: (name: string) => Promise<void>;
  /** By time, the latest first. */
  readonly #due: { readonly name: string; readonly atMs: number }[] = [];
  readonly #over = new AbortController();
  #changed = new AbortController();
  #watching: Promise<void> | undefined;

  /** `onDue` must not throw. */
  constructor(clock: Clock, onDue: (name: string) => Promise<void>) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  add(name: string, inMs: number): void {
    const atMs = this.#clock.monotonicMs() + Math.max(0, inMs);
    let low = 0;
    let high = this.#due.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#due[middle]?.atMs ?? 0) > atMs) low = middle + 1;
      else high = middle;
    }
    this.#due.splice(low, 0, { name, atMs });
    if (low === this.#due.length - 1) this.#changed.abort();
    this.#watching ??= this.#watch();
  }

  async close(): Promise<void> {
    this.#over.abort();
    this.#changed.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    for (;;) {
      const next = this.#due.at(-1);
      if (next === undefined || this.#over.signal.aborted) break;
      const leftMs = next.atMs - this.#clock.monotonicMs();
      if (leftMs <= 0) {
        this.#due.pop();
        await this.#onDue(next.name);
        continue;
      }
      if (this.#changed.signal.aborted) this.#changed = new AbortController();
      await this.#clock.sleep(leftMs, AbortSignal.any([this.#over.signal, this.#changed.signal]));
    }
    this.#watching = undefined;
  }
}
