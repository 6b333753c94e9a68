import type { LogStore } from '../model/ports/log-store.ts';
import type { Store } from '../model/ports/store.ts';
import { isTerminal, type RunRecord } from '../model/run-record.ts';
import type { RunHub } from '../service/runs/hub.ts';

/** Calls `onEnded` once for each run that ends while this process lives, with the bytes of its log. Ends with the signal. */
export async function watchEndedRuns(
  parts: { readonly hub: Pick<RunHub, 'subscribe'>; readonly store: Pick<Store, 'runs'>; readonly logs: Pick<LogStore, 'stat'> },
  onEnded: (run: RunRecord, logBytes: number) => void,
  onProblem: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const subscription = parts.hub.subscribe();
    for (;;) {
      const messages = await subscription.take(signal);
      if (messages === 'closed') return;
      // What was missed is missing in counters and traces; the store has it.
      if (messages === 'behind') break;
      for (const message of messages) {
        if (message.kind !== 'status' || !isTerminal(message)) continue;
        const run = await parts.store.runs.get(message.run).catch(() => undefined);
        const log = await parts.logs.stat(message.run).catch(() => undefined);
        if (run === undefined) continue;
        try {
          onEnded(run, log?.bytes ?? 0);
        } catch (error) {
          onProblem(error);
        }
      }
    }
  }
}
