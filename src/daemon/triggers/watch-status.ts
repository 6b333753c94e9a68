import type { Store } from '../../model/ports/store.ts';
import { isTerminal, type RunRecord } from '../../model/run-record.ts';
import type { HubMessage, RunHub } from '../../service/runs/hub.ts';

type StatusMessage = Extract<HubMessage, { readonly kind: 'status' }>;

/**
 * The hub, with somebody who is told of every change of a run's status, in the order of the changes of that run, and misses none: who
 * subscribes may fall behind.
 */
export function withStatusWatcher(
  hub: RunHub,
  parts: { readonly runs: Pick<Store['runs'], 'get'>; onProblem(what: string, error: unknown): void },
): RunHub & { watch(watcher: (run: RunRecord) => void): void; settled(): Promise<void> } {
  let watcher: ((run: RunRecord) => void) | undefined;
  /** By run: what is being read. */
  const reading = new Map<string, Promise<void>>();

  async function tell(message: StatusMessage, row: RunRecord | undefined, before: Promise<void> | undefined): Promise<void> {
    await before;
    try {
      const run = row ?? (await parts.runs.get(message.run));
      // What is read may be newer than what was told.
      if (run !== undefined && (isTerminal(run) || !isTerminal(message))) watcher?.(run);
    } catch (error) {
      parts.onProblem(`the change of run ${message.run} could not be followed`, error);
    }
  }

  return {
    publish: (message, row) => {
      hub.publish(message, row);
      if (message.kind !== 'status' || watcher === undefined) return;
      const told = tell(message, row, reading.get(message.run)).finally(() => {
        if (reading.get(message.run) === told) reading.delete(message.run);
      });
      reading.set(message.run, told);
    },
    subscribe: (run) => hub.subscribe(run),
    get subscribers() {
      return hub.subscribers;
    },
    watch: (told) => {
      watcher = told;
    },
    settled: async () => {
      while (reading.size > 0) await Promise.all(reading.values());
    },
  };
}
