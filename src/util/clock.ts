import { performance } from 'node:perf_hooks';

/** Node fires a longer timer at once: 24.8 days must do. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's clock; the shape of model/ports/clock.ts (util imports nothing of the project). */
export const systemClock = {
  now: (): Date => new Date(),
  monotonicMs: (): number => performance.now(),
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
