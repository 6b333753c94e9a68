import type { Clock } from '../model/ports/clock.ts';
import type { HookStore } from '../model/ports/hook-store.ts';

const WRITE_AFTER_MS = 2000;
const LONGEST_RESULT = 300;

/** When hooks were last used, and what came of it: written a little later, the newest of each. */
export interface HookUse {
  delivered(hook: string, at: Date, result: string): void;
  close(): Promise<void>;
}

export function createHookUse(
  hooks: Pick<HookStore, 'delivered'>,
  clock: Pick<Clock, 'sleep'>,
  onProblem: (what: string, error: unknown) => void,
): HookUse {
  const closing = new AbortController();
  const uses = new Map<string, { readonly id: string; readonly at: string; readonly result: string }>();
  let writing: Promise<void> | undefined;

  async function writeLater(): Promise<void> {
    await clock.sleep(WRITE_AFTER_MS, closing.signal);
    const written = [...uses.values()];
    uses.clear();
    writing = undefined;
    await hooks.delivered(written).catch((error: unknown) => onProblem('the last use of webhooks could not be written', error));
  }

  return {
    delivered(id, at, result) {
      uses.set(id, { id, at: at.toISOString(), result: result.slice(0, LONGEST_RESULT) });
      writing ??= writeLater();
    },
    async close() {
      closing.abort();
      await writing;
    },
  };
}
