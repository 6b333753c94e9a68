import type { Clock } from '../../model/ports/clock.ts';
import type { ImageDependency } from '../../model/ports/image-watch-store.ts';
import type { RunStarter } from '../../model/ports/run-starter.ts';
import type { Store } from '../../model/ports/store.ts';
import type { RunRecord } from '../../model/run-record.ts';
import type { TaskDefinition, TaskRecord } from '../../model/task-definition.ts';
import { type BaseImageTrigger, triggersOf } from '../../model/trigger-definition.ts';
import { shortDigest } from '../../util/short-digest.ts';
import { skipped } from '../fired.ts';
import type { Evaluation } from '../parts.ts';
import { sameRepository, shortImage } from './image-tag.ts';
import { compareBases } from './stale-bases.ts';
import { type TargetOptions, targetOf } from './targets.ts';
import { canJoin, type ImageCause, imageCauseOf } from './update-runs.ts';

export interface SpareParts {
  readonly store: Pick<Store, 'runs' | 'imageWatch'>;
  readonly runs: Pick<RunStarter, 'hold' | 'cancel'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly targets: TargetOptions;
}

/** Runs of one task that are looked at. */
const MOST_WAITING = 1000;
/** A run that is about to be dropped is kept from agents for so long: this process may end in between. */
const DROPPING_MS = 30_000;

/**
 * Drops the runs of a task that wait to be built for new base images, when a run that ended has built with all of them. Those that an agent had
 * stay. Nobody may add to waiting runs meanwhile.
 */
export async function dropSpareUpdates(ended: RunRecord, record: TaskRecord, parts: SpareParts): Promise<Evaluation['decisions']> {
  const { store } = parts;
  const trigger = triggersOf(record.definition).baseImageTrigger;
  if (ended.status !== 'Succeeded' || trigger === undefined || !isOfContext(ended, record.definition)) return [];
  const task = record.definition.name;
  const waiting = await store.runs.list({ task, status: ['Queued'], limit: MOST_WAITING });
  const updates = waiting.filter(({ causes: [first] }) => first?.kind === 'image-update');
  if (updates.length === 0) return [];
  const rows = (await store.imageWatch.dependencies({ taskId: record.id })).filter(
    ({ state, run }) => state === 'built' && run === ended.id,
  );
  const decisions: Evaluation['decisions'][number][] = [];
  for (const { id } of updates) {
    const run = await store.runs.get(id);
    const cause = run === undefined || !canJoin(run, trigger.name) ? undefined : imageCauseOf(run);
    if (run === undefined || cause === undefined || !(await hasAll(cause, { record, trigger, rows }, parts))) continue;
    if (!(await drop(run, ended, parts))) continue;
    const images = cause.images.map(({ digest, ...image }) => `${shortImage(image)} (${shortDigest(digest)})`).join(', ');
    const because = `run ${id} waited to be built with ${images}; run ${ended.id} has built with it, so ${id} was canceled`;
    decisions.push(skipped({ task, trigger: trigger.name }, 'superseded', because, id));
  }
  return decisions;
}

interface Built {
  readonly record: TaskRecord;
  readonly trigger: BaseImageTrigger;
  /** What the ended run recorded. */
  readonly rows: readonly ImageDependency[];
}

/** Whether the images that a run waits to build with are what the rows have, and still what registries have. */
async function hasAll({ images }: ImageCause, { record, trigger, rows }: Built, { store, targets }: SpareParts): Promise<boolean> {
  for (const image of images) {
    const own = Map.groupBy(
      rows.filter((row) => sameRepository(row.image, image)),
      (row) => targetOf(record, row, targets)?.key ?? '',
    );
    const compared = [...own].map(async ([key, used]) => {
      const [target] = key === '' ? [] : await store.imageWatch.targets({ key });
      if (target === undefined || target.indexDigest === '') return false;
      if (image.tag !== (target.newestTag === '' ? target.image.tag : target.newestTag)) return undefined;
      const now = { indexDigest: target.indexDigest, platforms: target.digests, previous: '', previousPlatforms: {} };
      const verdict = compareBases(used, now, trigger);
      return 'code' in verdict && verdict.code === 'same-digest';
    });
    const verdicts = (await Promise.all(compared)).filter((verdict) => verdict !== undefined);
    if (verdicts.length === 0 || verdicts.includes(false)) return false;
  }
  return true;
}

/** False when an agent was faster. */
async function drop({ id, hold }: RunRecord, ended: RunRecord, { runs, clock }: SpareParts): Promise<boolean> {
  const because = `run ${ended.id} has built with the base images that it was for`;
  const until = new Date(clock.now().getTime() + DROPPING_MS).toISOString();
  if ((await runs.hold(id, { ...hold, because, until })) === 'stale') return false;
  await runs.cancel(id, because);
  return true;
}

/** Whether a run has built what a rebuild of the task would: not another branch, a tag or a context of its own. */
export function isOfContext({ request: { causes, step } }: Pick<RunRecord, 'request'>, definition: TaskDefinition): boolean {
  const { contextPath = '' } = definition.step;
  const [first] = causes;
  if (first?.kind !== 'source') return step.contextPath === definition.step.contextPath;
  if (first.event !== 'commit') return false;
  const branch = /#([^:]+)/.exec(contextPath)?.[1];
  if (branch !== undefined) return first.branch === branch;
  const source = triggersOf(definition).sourceTriggers.find(({ name }) => name === first.trigger);
  // Then it is the default branch, as is that of the context.
  return source !== undefined && source.branches.length === 0 && source.sourceRepository.branch === undefined;
}
