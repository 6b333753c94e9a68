import type { GcResult } from '../api/daemon-schema.ts';
import type { Clock } from '../model/ports/clock.ts';
import type { ContainerEngine } from '../model/ports/container-engine.ts';
import type { Store } from '../model/ports/store.ts';
import type { Retention } from '../service/runs/retention.ts';

export interface GarbageParts {
  readonly retention: Retention;
  readonly store: Pick<Store, 'runs'>;
  readonly engine: Pick<ContainerEngine, 'collectRuns'>;
  readonly daemonId: string;
}

/** Removes what is past its retention, and what ended runs of this daemon left in the engine. */
export async function collectGarbage(
  { retention, store, engine, daemonId }: GarbageParts,
  options: { readonly dryRun: boolean; readonly signal?: AbortSignal },
): Promise<GcResult> {
  const report = await retention.gc(options);
  const live = new Set((await store.runs.live()).map(({ id }) => `${id}x${daemonId}`));
  const things = options.dryRun
    ? []
    : await engine.collectRuns({ owner: `daemon/${daemonId}`, live, ...(options.signal === undefined ? {} : { signal: options.signal }) });
  return {
    dryRun: options.dryRun,
    runs: report.runs,
    logs: report.logs,
    uploads: report.uploads,
    images: 0,
    engine: things.length,
    bytes: report.bytes,
  };
}

const FIRST_MS = 60_000;
const EVERY_MS = 3_600_000;

/** Collects a minute after the start and then each hour, until the signal aborts. */
export async function collectRegularly(clock: Clock, collect: () => Promise<void>, signal: AbortSignal): Promise<void> {
  await clock.sleep(FIRST_MS, signal);
  while (!signal.aborted) {
    await collect();
    await clock.sleep(EVERY_MS, signal);
  }
}
