import type { ImageDependency, ImageTargetState } from '../../model/ports/image-watch-store.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import type { NewTriggerEvent } from '../../model/trigger-event.ts';
import type { ImageChanged } from './affected.ts';
import { followingOf } from './following.ts';
import type { Found } from './poller.ts';
import { compareBases } from './stale-bases.ts';
import { type TargetOptions, targetOf } from './targets.ts';

/** The event of a look that found something else than the look before. `run`: which pushed it. */
export function changeEvent(target: ImageTargetState, look: Found, run: string | undefined): NewTriggerEvent {
  const { indexDigest: previous, digests: previousPlatforms, newestTag, checkedAt = '' } = target;
  return {
    // An image can come back to what it was: the look before tells one time from another.
    dedupKey: `image:${target.key}:${look.indexDigest}:${checkedAt}`,
    origin: run === undefined ? 'poll' : 'run',
    happening: {
      ...happeningOf(target, look, run),
      ...{ previous, previousPlatforms },
      ...(newestTag === '' || newestTag === look.newestTag ? {} : { previousTag: newestTag }),
    },
  };
}

/** The event of a first look (also of a platform): builds may have used something else, and else it says why nothing runs. `rows`: who builds on the image. */
export function firstLookEvent(
  target: ImageTargetState,
  look: Found,
  rows: readonly ImageDependency[],
  run: string | undefined,
): NewTriggerEvent | undefined {
  if (rows.length === 0) return undefined;
  const platforms = Object.keys(look.digests).sort().join(',');
  return {
    dedupKey: `image:${target.key}:${look.indexDigest}:first:${platforms}`,
    origin: run === undefined ? 'poll' : 'run',
    happening: { ...happeningOf(target, look, run), previous: '', previousPlatforms: {} },
  };
}

/** Events for one task whose last successful build used something else than is known of its images by now. */
export function staleEvents(
  record: TaskRecord,
  rows: readonly ImageDependency[],
  targets: ReadonlyMap<string, ImageTargetState>,
  options: TargetOptions,
): readonly NewTriggerEvent[] {
  const byTarget = Map.groupBy(rows, (row) => targetOf(record, row, options)?.key ?? '');
  const events: NewTriggerEvent[] = [];
  for (const [key, own] of byTarget) {
    const target = targets.get(key);
    const [first] = own;
    const following = first === undefined ? undefined : followingOf(record, first);
    if (target === undefined || target.indexDigest === '' || following?.follows !== true) continue;
    const now = { indexDigest: target.indexDigest, platforms: target.digests, previous: '', previousPlatforms: {} };
    const { stale } = compareBases(own, now, following.trigger);
    if (stale.length === 0) continue;
    const look: Found = { kind: 'found', indexDigest: target.indexDigest, digests: target.digests, newestTag: target.newestTag };
    const happening = { ...happeningOf(target, look, undefined), previous: '', previousPlatforms: {}, task: record.definition.name };
    const since = stale[0]?.dependency.run ?? '';
    events.push({ dedupKey: `image:${key}:${target.indexDigest}:task:${record.id}:${since}`, origin: 'poll', happening });
  }
  return events;
}

/** Events for a task that was never built, of images that were looked at for others before: they say why nothing runs. */
export function firstSightEvents(
  record: TaskRecord,
  rows: readonly ImageDependency[],
  targets: ReadonlyMap<string, ImageTargetState>,
  options: TargetOptions,
): readonly NewTriggerEvent[] {
  const keys = new Set(rows.flatMap((row) => targetOf(record, row, options)?.key ?? []));
  return [...keys].flatMap((key): readonly NewTriggerEvent[] => {
    const target = targets.get(key);
    if (target === undefined || target.indexDigest === '') return [];
    const look: Found = { kind: 'found', indexDigest: target.indexDigest, digests: target.digests, newestTag: target.newestTag };
    const happening = { ...happeningOf(target, look, undefined), previous: '', previousPlatforms: {}, task: record.definition.name };
    return [{ dedupKey: `image:${key}:task:${record.id}:first`, origin: 'poll', happening }];
  });
}

function happeningOf(
  { key, image }: ImageTargetState,
  look: Found,
  run: string | undefined,
): Omit<ImageChanged, 'previous' | 'previousPlatforms'> {
  return {
    kind: 'image-changed',
    image: look.newestTag === '' ? image : { ...image, tag: look.newestTag },
    indexDigest: look.indexDigest,
    platforms: look.digests,
    ...(run === undefined ? {} : { run }),
    target: key,
  };
}
