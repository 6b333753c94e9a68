import type { Clock } from '../../model/ports/clock.ts';
import type { SettingStore } from '../../model/ports/store.ts';
import type { HookService } from './hook-service.ts';

const EVERY_MS = 600_000;
/** GitHub knows its deliveries for so long. */
const LONGEST_MS = 3 * 86_400_000;
const KEY = 'lostDeliveriesAskedAt';

/**
 * Asks forges that never send again by themselves (GitHub) for what did not arrive while the daemon, or the way to it, was down: at the start and
 * every ten minutes, from the last time on. Looks at repositories find the same changes; a delivery knows more (whose pull request it is). Never
 * rejects; ends when `signal` aborts.
 */
export async function askForLostDeliveries(
  parts: {
    readonly hooks: Pick<HookService, 'redeliver'>;
    readonly settings: SettingStore;
    readonly clock: Clock;
    onProblem(what: string, error: unknown): void;
  },
  signal: AbortSignal,
): Promise<void> {
  const { hooks, settings, clock, onProblem } = parts;
  while (!signal.aborted) {
    try {
      const nowMs = clock.now().getTime();
      const last = await settings.get(KEY);
      const sinceMs = Math.max(typeof last === 'string' ? Date.parse(last) : nowMs, nowMs - LONGEST_MS);
      await hooks.redeliver(new Date(sinceMs).toISOString(), signal);
      if (!signal.aborted) await settings.set(KEY, new Date(nowMs).toISOString());
    } catch (error) {
      if (!signal.aborted) onProblem('lost deliveries could not be asked for', error);
    }
    await clock.sleep(EVERY_MS, signal);
  }
}
