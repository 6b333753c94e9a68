/** What a reader waits for: more bytes than it has, or the end. */
interface LogEnd {
  readonly bytes: number;
  readonly sealed: boolean;
}

interface Waiter {
  readonly after: number;
  wake(): void;
}

/** Readers of logs that wait for more, by run. They hold nothing but their place. */
export interface LogChanges {
  /** Resolves when the log that `look` shows, or the next one that `wake` is told of, has more than `after` bytes or is sealed. */
  wait(
    run: string,
    until: { readonly after: number; readonly signal: AbortSignal },
    look: () => Promise<LogEnd | undefined>,
  ): Promise<void>;
  wake(run: string, log: LogEnd): void;
}

export function createChanges(): LogChanges {
  const waiters = new Map<string, Set<Waiter>>();

  function remove(run: string, waiter: Waiter): void {
    const all = waiters.get(run);
    all?.delete(waiter);
    if (all?.size === 0) waiters.delete(run);
  }

  function add(run: string, waiter: Waiter): void {
    const all = waiters.get(run);
    if (all === undefined) waiters.set(run, new Set([waiter]));
    else all.add(waiter);
  }

  async function wait(
    run: string,
    { after, signal }: Parameters<LogChanges['wait']>[1],
    look: () => Promise<LogEnd | undefined>,
  ): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    const waiter: Waiter = { after, wake };
    // Waiting starts before the look, so that no change falls between them.
    add(run, waiter);
    signal.addEventListener('abort', wake, { once: true });
    try {
      const now = await look();
      if (now !== undefined && hasMore(now, after)) return;
      await promise;
    } finally {
      remove(run, waiter);
      signal.removeEventListener('abort', wake);
    }
  }

  return {
    wait,
    wake: (run, log) => {
      for (const waiter of waiters.get(run) ?? []) if (hasMore(log, waiter.after)) waiter.wake();
    },
  };
}

function hasMore(log: LogEnd, after: number): boolean {
  return log.sealed || log.bytes > after;
}
