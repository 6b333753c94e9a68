import type { GcResult } from '../api/daemon-schema.ts';
import type { Clock } from '../model/ports/clock.ts';
import type { ContainerEngine } from '../model/ports/container-engine.ts';
import type { Store } from '../model/ports/store.ts';
import { collectImages, type ImageRetentionParts } from '../service/runs/image-retention.ts';
import type { Retention } from '../service/runs/retention.ts';

export interface GarbageParts {
  readonly retention: Retention;
  readonly store: Pick<Store, 'runs'>;
  readonly engine: Pick<ContainerEngine, 'collectRuns'>;
  readonly daemonId: string;
  readonly images: ImageRetentionParts;
}

/** Removes what is past its retention, and what ended runs of this daemon left in the engine. */
export async function collectGarbage(
  { retention, store, engine, daemonId, images }: GarbageParts,
  options: { readonly dryRun: boolean; readonly signal?: AbortSignal },
): Promise<GcResult> {
  const report = await retention.gc(options);
  const things = options.dryRun ? 0 : await collectEngine({ store, engine, daemonId }, options.signal);
  return {
    dryRun: options.dryRun,
    runs: report.runs,
    logs: report.logs,
    uploads: report.uploads,
    events: report.events,
    images: await collectImages(images, options),
    engine: things,
    bytes: report.bytes,
  };
}

/** Removes what ended runs of this daemon left in the engine. Resolves with how many things that were. */
export async function collectEngine(
  { store, engine, daemonId }: Omit<GarbageParts, 'retention' | 'images'>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const live = async (): Promise<ReadonlySet<string>> => new Set((await store.runs.live()).map(({ id }) => `${id}x${daemonId}`));
  const options = { owner: `daemon/${daemonId}`, live, ...(signal === undefined ? {} : { signal }) };
  return (await engine.collectRuns(options)).length;
}

const ENGINE_EVERY_MS = 60_000;
const RETENTION_EVERY = 60;

/** Looks each minute for what ended runs left in the engine, and each hour for what is past its retention, until the signal aborts. */
export async function collectRegularly(
  clock: Clock,
  collect: { engine(): Promise<void>; everything(): Promise<void> },
  signal: AbortSignal,
): Promise<void> {
  for (let minute = 1; ; minute += 1) {
    await clock.sleep(ENGINE_EVERY_MS, signal);
    if (signal.aborted) return;
    await (minute % RETENTION_EVERY === 1 ? collect.everything() : collect.engine());
  }
}
