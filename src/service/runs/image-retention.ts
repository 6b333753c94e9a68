import type { Clock } from '../../model/ports/clock.ts';
import type { ContainerEngine } from '../../model/ports/container-engine.ts';
import type { Store } from '../../model/ports/store.ts';
import { runNumberOf } from '../../model/run-id.ts';
import { isTerminal } from '../../model/run-record.ts';

export interface ImageRetentionParts {
  readonly store: Pick<Store, 'runs' | 'settings'>;
  readonly engine: Pick<ContainerEngine, 'findImage' | 'removeImage'>;
  readonly clock: Clock;
  /** How long a tag stays in the engine after its last build; undefined: for ever. */
  readonly keepMs: number | undefined;
}

/** Number of the newest run whose images have been dealt with. */
const DONE_KEY = 'images.collectedUntil';
const PAGE = 200;

/**
 * Takes the tags of old builds off the images in the engine, those that no later build has given to another image. Each run is looked at
 * once. Resolves with how many tags were (with `dryRun`: would be) taken off.
 */
export async function collectImages(
  parts: ImageRetentionParts,
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal?: AbortSignal },
): Promise<number> {
  const { store, clock, keepMs } = parts;
  if (keepMs === undefined) return 0;
  const stored = await store.settings.get(DONE_KEY);
  const done = typeof stored === 'number' ? stored : 0;
  let removed = 0;
  for (const id of await oldRuns(parts, new Date(clock.now().getTime() - keepMs).toISOString(), done)) {
    if (signal?.aborted === true) break;
    const run = await store.runs.get(id);
    for (const { id: image, tags } of run?.built ?? []) {
      for (const tag of tags) if (await takeOff(parts, tag, image, dryRun)) removed += 1;
    }
    if (!dryRun) await store.settings.set(DONE_KEY, runNumberOf(id) ?? done);
  }
  return removed;
}

/** Ended runs created before a time and not dealt with yet, oldest first. One that still goes on holds back those after it. */
async function oldRuns({ store }: ImageRetentionParts, until: string, done: number): Promise<readonly string[]> {
  const found: { readonly id: string; readonly number: number; readonly ended: boolean }[] = [];
  for (let before: number | undefined; ; ) {
    const page = await store.runs.list({ until, limit: PAGE, ...(before === undefined ? {} : { before }) });
    for (const { id, number, status } of page) {
      found.push({ id, number, ended: isTerminal({ status }) });
    }
    before = page.at(-1)?.number;
    if (page.length < PAGE || before === undefined || before <= done) break;
  }
  const fresh = found.filter(({ number }) => number > done).toReversed();
  const open = fresh.findIndex(({ ended }) => !ended);
  return (open === -1 ? fresh : fresh.slice(0, open)).map(({ id }) => id);
}

async function takeOff({ engine }: ImageRetentionParts, tag: string, image: string, dryRun: boolean): Promise<boolean> {
  if ((await engine.findImage(tag))?.id !== image) return false;
  return dryRun || (await engine.removeImage(tag)) === 'removed';
}
