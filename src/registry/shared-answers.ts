/** What is asked once for all: kept when it is there, forgotten when it failed, given up when nobody waits for it any more. */
export class SharedAnswers<T> {
  readonly #asked = new Map<string, Asked<T>>();

  /** `ask` gets a signal that aborts when every caller's own has. Rejects with the caller's reason, else as `ask` does. */
  async get(key: string, ask: (stop: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const asked = this.#asked.get(key) ?? this.#begin(key, ask);
    asked.waiting += 1;
    const { promise: given, reject } = Promise.withResolvers<never>();
    const leave = (): void => {
      reject(signal?.reason);
      asked.waiting -= 1;
      if (asked.waiting > 0 || asked.settled) return;
      if (this.#asked.get(key) === asked) this.#asked.delete(key);
      asked.stop.abort(signal?.reason);
    };
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([asked.answer, given]);
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  #begin(key: string, ask: (stop: AbortSignal) => Promise<T>): Asked<T> {
    const stop = new AbortController();
    const asked: Asked<T> = { stop, answer: ask(stop.signal), waiting: 0, settled: false };
    this.#asked.set(key, asked);
    asked.answer.then(
      () => {
        asked.settled = true;
      },
      () => {
        asked.settled = true;
        if (this.#asked.get(key) === asked) this.#asked.delete(key);
      },
    );
    return asked;
  }
}

interface Asked<T> {
  readonly stop: AbortController;
  readonly answer: Promise<T>;
  waiting: number;
  settled: boolean;
}
