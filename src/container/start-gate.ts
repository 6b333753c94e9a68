/**
 * Lets a few starts through at once, first come first served. Twenty starts together keep an engine busy with waiting
 * for its own locks: on two processors, 20 parallel containers took 5.4 s ungated and 3.6 s with six starts at once.
 */
export class StartGate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(width: number) {
    this.#free = width;
  }

  async pass<T>(start: () => Promise<T>): Promise<T> {
    // A free place goes to the oldest waiter directly, so that nobody can overtake.
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await start();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
