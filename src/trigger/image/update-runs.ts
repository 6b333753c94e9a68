import type { RunStore } from '../../model/ports/store.ts';
import type { RunHold } from '../../model/run-hold.ts';
import type { Cause, RunRecord } from '../../model/run-record.ts';
import { sameRepository } from './image-tag.ts';

export type ImageCause = Extract<Cause, { readonly kind: 'image-update' }>;

/** The cause of a run that a base image update made, or was the last to be added to. */
export function imageCauseOf(run: Pick<RunRecord, 'request'>): ImageCause | undefined {
  const [first] = run.request.causes;
  return first?.kind === 'image-update' ? first : undefined;
}

/** Queued, and nobody has begun it: it can take in further updates. */
export function canJoin(run: RunRecord, trigger: string): boolean {
  return run.status === 'Queued' && run.attempt === 0 && run.cancel === undefined && imageCauseOf(run)?.trigger === trigger;
}

/** Both causes as one; of an image that both name the newer digest. */
export function joinCauses(known: ImageCause, fresh: ImageCause): ImageCause {
  const kept = known.images.filter((image) => !fresh.images.some((other) => sameRepository(image, other) && image.tag === other.tag));
  const from = fresh.run === undefined ? known : fresh;
  return {
    ...fresh,
    images: [...kept, ...fresh.images],
    ...(from.run === undefined ? {} : { run: from.run }),
    ...(from.task === undefined ? {} : { task: from.task }),
  };
}

export const WINDOW_REASON = 'waits for further base images';

const EVENTS_A_PAGE = 500;

/** Digests of base images that a run which has started resolved so far. */
export async function digestsInUse(run: RunRecord, runs: Pick<RunStore, 'events'>): Promise<ReadonlySet<string>> {
  const digests = new Set<string>();
  for (let after = 0; ; ) {
    const events = await runs.events(run.id, { after, limit: EVENTS_A_PAGE });
    for (const event of events) {
      if (event.type !== 'base-images') continue;
      for (const { indexDigest, platformDigest } of event.images) digests.add(indexDigest).add(platformDigest);
    }
    const last = events.at(-1);
    if (last === undefined || events.length < EVENTS_A_PAGE) return digests;
    after = last.seq;
  }
}

/** The hold with these runs besides those that it names; undefined when that changes nothing. */
export function holdWith(hold: RunHold | undefined, runs: readonly RunRecord['id'][], because: string): RunHold | undefined {
  const known = hold?.runs ?? [];
  const fresh = runs.filter((run) => !known.includes(run));
  if (fresh.length === 0) return undefined;
  return { ...hold, because, runs: [...known, ...fresh] };
}
