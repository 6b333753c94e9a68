import type { Clock } from '../model/ports/clock.ts';
import type { HookRecord, HookStore } from '../model/ports/hook-store.ts';

const WRITE_AFTER_MS = 2000;
/** Whoever guesses makes no more writes than this for a hook, and hides no genuine delivery for longer. */
const UNPROVEN_EACH_MS = 60_000;
const LONGEST_RESULT = 300;

/** When hooks were last used, and what came of it: written a little later, the newest of each. */
export interface HookUse {
  delivered(hook: string, at: Date, result: string): void;
  /** The newest that is not written yet. */
  unwritten(hook: string): HookRecord['lastDelivery'];
  /** Like `delivered`, once a minute at most: it helps who sets a webhook up with another secret. */
  unproven(hook: string, at: Date, result: string): void;
  close(): Promise<void>;
}

export function createHookUse(
  hooks: Pick<HookStore, 'delivered'>,
  clock: Pick<Clock, 'sleep' | 'monotonicMs'>,
  onProblem: (what: string, error: unknown) => void,
): HookUse {
  const closing = new AbortController();
  const uses = new Map<string, { readonly id: string; readonly at: string; readonly result: string }>();
  /** By hook; there are only as many as there are hooks. */
  const unprovenMs = new Map<string, number>();
  let beingWritten: readonly { readonly id: string; readonly at: string; readonly result: string }[] = [];
  let writing: Promise<void> | undefined;

  async function writeLater(): Promise<void> {
    await clock.sleep(WRITE_AFTER_MS, closing.signal);
    const written = [...uses.values()];
    beingWritten = written;
    uses.clear();
    writing = undefined;
    await hooks.delivered(written).catch((error: unknown) => onProblem('the last use of webhooks could not be written', error));
  }

  function delivered(id: string, at: Date, result: string): void {
    uses.set(id, { id, at: at.toISOString(), result: result.slice(0, LONGEST_RESULT) });
    writing ??= writeLater();
  }

  return {
    delivered,
    unproven(id, at, result) {
      const nowMs = clock.monotonicMs();
      if (nowMs - (unprovenMs.get(id) ?? Number.NEGATIVE_INFINITY) < UNPROVEN_EACH_MS || uses.has(id)) return;
      unprovenMs.set(id, nowMs);
      delivered(id, at, result);
    },
    unwritten(id) {
      const use = uses.get(id) ?? beingWritten.find((one) => one.id === id);
      return use === undefined ? undefined : { at: use.at, result: use.result };
    },
    async close() {
      closing.abort();
      await writing;
    },
  };
}
