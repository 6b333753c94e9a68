/** Lets one piece of work at a time go on for each key, in the order in which they came. */
export class KeyedLock {
  readonly #last = new Map<string, Promise<void>>();

  /** Waits for its turn, works, and lets the next go on. Rejects with the signal's reason when that aborts before its turn. */
  async run<Value>(key: string, signal: AbortSignal, work: () => Promise<Value>): Promise<Value> {
    signal.throwIfAborted();
    const before = this.#last.get(key);
    const done = Promise.withResolvers<void>();
    // Whoever gives up waiting is passed over, not those before it.
    const turn = (before ?? Promise.resolve()).then(() => done.promise);
    this.#last.set(key, turn);
    void turn.then(() => {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    });
    try {
      if (before !== undefined) await unlessAborted(before, signal);
      return await work();
    } finally {
      done.resolve();
    }
  }
}

function unlessAborted(waiting: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    void waiting.then(() => {
      signal.removeEventListener('abort', abort);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    });
  });
}
