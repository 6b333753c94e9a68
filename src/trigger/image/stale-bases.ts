import type { ImageDependency } from '../../model/ports/image-watch-store.ts';
import type { RunRecord } from '../../model/run-record.ts';
import type { BaseImageTrigger } from '../../model/trigger-definition.ts';
import type { DecisionCode } from '../../model/trigger-event.ts';
import { shortDigest } from '../../util/short-digest.ts';

/** What an image is now, and what it was at the look before (empty when there was none). */
export interface ImageNow {
  readonly indexDigest: string;
  readonly platforms: Readonly<Record<string, string>>;
  readonly previous: string;
  readonly previousPlatforms: Readonly<Record<string, string>>;
}

/** A base image that a task's last successful build did not have as it is now. */
export interface StaleBase {
  readonly dependency: ImageDependency;
  /** What counts for this trigger: of the platform, or of the index. */
  readonly digest: string;
  /** What the last build had; empty before one. */
  readonly used: string;
  /** The run that failed because there was no such image. */
  readonly missedBy?: string;
}

export type Comparison =
  | { readonly stale: readonly StaleBase[] }
  | { readonly stale: readonly []; readonly code: DecisionCode; readonly because: string };

/**
 * Compares what an image is with what the last successful build of a task had of it, platform by platform. A task that was never built has its
 * files' word for it, and is compared with the look before. `rows`: the dependencies of one task on one image.
 */
export function compareBases(
  rows: readonly ImageDependency[],
  now: ImageNow,
  { trackIndex }: Pick<BaseImageTrigger, 'trackIndex'>,
): Comparison {
  const built = rows.filter(({ state, indexDigest, platformDigest }) => state === 'built' && (indexDigest !== '' || platformDigest !== ''));
  const verdicts = (built.length > 0 ? built : rows).map((row) => compareRow(row, now, trackIndex));
  const stale = verdicts.flatMap((verdict) => ('digest' in verdict ? [verdict] : []));
  if (stale.length > 0) return { stale };
  const [why] = verdicts.flatMap((verdict) => ('code' in verdict ? [verdict] : []));
  return { stale: [], ...(why ?? { code: 'same-digest', because: 'nothing of it is used' }) };
}

/** Of an image that is looked at for the first time: whether the newest run of the task, which was never built, failed for want of it. */
export function awaitedBases(
  rows: readonly ImageDependency[],
  now: ImageNow,
  { trackIndex }: Pick<BaseImageTrigger, 'trackIndex'>,
  newest: Pick<RunRecord, 'id' | 'status' | 'request' | 'baseImages'> | undefined,
): readonly StaleBase[] {
  if (newest === undefined || newest.request.trust !== 'trusted' || (newest.status !== 'Failed' && newest.status !== 'Error')) return [];
  const missed = new Set(newest.baseImages.flatMap(({ reference, source }) => (source === 'unresolved' ? [reference] : [])));
  return rows.flatMap((row): readonly StaleBase[] => {
    const digest = trackIndex || row.platform === '' ? now.indexDigest : (now.platforms[row.platform] ?? '');
    return missed.has(row.written) && digest !== '' ? [{ dependency: row, digest, used: '', missedBy: newest.id }] : [];
  });
}

type Verdict = StaleBase | { readonly code: DecisionCode; readonly because: string };

function compareRow(row: ImageDependency, now: ImageNow, trackIndex: boolean): Verdict {
  const byIndex = trackIndex || row.platform === '';
  const digest = byIndex ? now.indexDigest : now.platforms[row.platform];
  if (digest === undefined) return { code: 'unreachable', because: `${row.written} was not looked at for ${row.platform} yet` };
  if (digest === '') return { code: 'unreachable', because: `${row.written} has nothing for ${row.platform} any more` };
  const used = usedBy(row, byIndex);
  const name = byIndex ? shortDigest(digest) : `${shortDigest(digest)} for ${row.platform}`;
  if (row.state === 'built' && used.length > 0) {
    // Where the engine was asked instead of a registry, only one digest is known, and not of what.
    const same = used.includes(digest) || (row.platformDigest === '' && used.includes(now.indexDigest));
    if (!same) return { dependency: row, digest, used: used[0] ?? '' };
    return { code: 'same-digest', because: `the last successful build${of(row)} used ${row.written} as it is: ${name}` };
  }
  if (row.state === 'attempted' && used.includes(digest)) {
    return { code: 'same-digest', because: `a build${of(row)} was tried with it as it is, ${name}, and failed` };
  }
  const before = byIndex ? now.previous : (now.previousPlatforms[row.platform] ?? '');
  if (before === '') return { code: 'first-sight', because: `the task was never built, and this is the first look at ${row.written}` };
  if (before === digest) return { code: 'same-digest', because: `${row.written} is what it was: ${name}` };
  return { dependency: row, digest, used: '' };
}

function usedBy({ indexDigest, platformDigest }: ImageDependency, byIndex: boolean): readonly string[] {
  return [byIndex || platformDigest === '' ? indexDigest : platformDigest].filter((digest) => digest !== '');
}

function of({ run }: ImageDependency): string {
  return run === undefined ? '' : ` (${run})`;
}
