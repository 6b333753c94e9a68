/** Node fires a longer timer at once: 24.8 days must do. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock; the shape of model/ports/clock.ts (util imports nothing of the project). */
export const systemClock = {
  now: (): Date => new Date(),
  // Not `performance.now()`, whose module takes a short run 2 ms to load.
  monotonicMs: (): number => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  },
  sleep: (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(ms, LONGEST_TIMER_MS));
      signal?.addEventListener('abort', done, { once: true });
    }),
};
