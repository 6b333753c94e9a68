import type { Clock } from '../../src/model/ports/clock.ts';

interface Sleeper {
  readonly wakesAtMs: number;
  readonly wake: () => void;
}

/** A clock that moves only when a test says so. Starts at 2030-01-02T03:04:05Z. */
export interface FakeClock extends Clock {
  /** Lets present work go on, then moves time by `ms`, waking sleepers in order of their time, and lets the work they wake go on in between. */
  advance(ms: number): Promise<void>;
  /** Moves time to the next sleeper's time; throws when nobody sleeps. */
  advanceToNext(): Promise<void>;
  /** Resolves when at least `count` callers sleep. */
  sleeping(count?: number): Promise<void>;
  /** Milliseconds that each present sleeper still has to sleep, ascending. */
  remaining(): readonly number[];
}

const EPOCH = Date.UTC(2030, 0, 2, 3, 4, 5);

export function createFakeClock(): FakeClock {
  let nowMs = 0;
  const sleepers = new Set<Sleeper>();
  const watchers = new Set<{ readonly count: number; readonly resolve: () => void }>();

  function notifyWatchers(): void {
    for (const watcher of watchers) {
      if (sleepers.size < watcher.count) continue;
      watchers.delete(watcher);
      watcher.resolve();
    }
  }

  function nextSleeper(limitMs: number): Sleeper | undefined {
    let next: Sleeper | undefined;
    for (const sleeper of sleepers) {
      if (sleeper.wakesAtMs <= limitMs && (next === undefined || sleeper.wakesAtMs < next.wakesAtMs)) next = sleeper;
    }
    return next;
  }

  async function advance(ms: number): Promise<void> {
    await settled();
    const until = nowMs + ms;
    for (let sleeper = nextSleeper(until); sleeper !== undefined; sleeper = nextSleeper(until)) {
      nowMs = Math.max(nowMs, sleeper.wakesAtMs);
      sleeper.wake();
      await settled();
    }
    nowMs = until;
    await settled();
  }

  return {
    now: () => new Date(EPOCH + nowMs),
    monotonicMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true || ms <= 0) {
          resolve();
          return;
        }
        const wake = (): void => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper: Sleeper = { wakesAtMs: nowMs + ms, wake };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake, { once: true });
        notifyWatchers();
      }),
    advance,
    advanceToNext: async () => {
      await settled();
      const next = nextSleeper(Number.POSITIVE_INFINITY);
      if (next === undefined) throw new Error('nobody sleeps on the fake clock');
      await advance(next.wakesAtMs - nowMs);
    },
    sleeping: (count = 1) =>
      new Promise((resolve) => {
        watchers.add({ count, resolve });
        notifyWatchers();
      }),
    remaining: () => [...sleepers].map((sleeper) => sleeper.wakesAtMs - nowMs).sort((a, b) => a - b),
  };
}

/** Resolves after everything that is due now has run (promise reactions, and twice the end of a turn): a way without timers to let woken work go on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
