import type { ImageDependency, ImageTargetState } from '../../model/ports/image-watch-store.ts';
import type { Store } from '../../model/ports/store.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import type { BaseImageTrigger } from '../../model/trigger-definition.ts';
import type { Happening } from '../../model/trigger-event.ts';
import { type Chain, LONGEST_CHAIN } from '../chain.ts';
import { skipped } from '../fired.ts';
import type { Evaluation } from '../parts.ts';
import { followingOf, patternFor } from './following.ts';
import { inParallel } from './in-parallel.ts';
import { awaitedBases, compareBases, type StaleBase } from './stale-bases.ts';
import { type TargetOptions, targetOf } from './targets.ts';

export type ImageChanged = Extract<Happening, { readonly kind: 'image-changed' }>;
type Decision = Evaluation['decisions'][number];

/** A task that is to be rebuilt. */
export interface Affected {
  readonly record: TaskRecord;
  readonly trigger: BaseImageTrigger;
  readonly stale: readonly StaleBase[];
}

export interface AffectedParts {
  readonly store: Pick<Store, 'tasks' | 'imageWatch' | 'runs'>;
  readonly targets: TargetOptions;
}

/** A change, with what is known of it now. */
export interface Change {
  readonly happening: ImageChanged;
  /** What was looked at; undefined for events that do not name it. */
  readonly target: ImageTargetState | undefined;
  readonly chain: Chain | undefined;
}

/** Reads of the store at once: each is short. */
const READS_AT_ONCE = 50;

/** Compares what is with what was built, for every task that builds on the image: who is to be rebuilt, and why the others are not. */
export async function affectedBy(
  change: Change,
  { store, targets }: AffectedParts,
): Promise<{ readonly affected: readonly Affected[]; readonly decisions: readonly Decision[] }> {
  const { happening, target } = change;
  const { registry, repository, tag } = happening.image;
  const byPattern = target !== undefined && target.pattern !== '';
  const rows = await store.imageWatch.dependencies({ image: byPattern ? { registry, repository } : { registry, repository, tag } });
  const byTask = Map.groupBy(
    rows.filter(({ task }) => happening.task === undefined || happening.task === task),
    ({ taskId }) => taskId,
  );
  const found = await inParallel([...byTask], READS_AT_ONCE, async ([taskId, own]) => {
    const name = own[0]?.task ?? '';
    const record = await store.tasks.get(name);
    if (record?.id !== taskId) return skipped({ task: name }, 'task-gone', `task ${name} was deleted`);
    return judge(record, own, change, { store, targets });
  });
  return {
    affected: found.flatMap((one) => (one !== undefined && 'record' in one ? [one] : [])),
    decisions: found.flatMap((one) => (one !== undefined && 'code' in one ? [one] : [])),
  };
}

/** Undefined for a task that this is not about: it follows another tag of the repository, or with another credential. */
async function judge(
  record: TaskRecord,
  rows: readonly ImageDependency[],
  change: Change,
  { store, targets: options }: AffectedParts,
): Promise<Affected | Decision | undefined> {
  const { happening, target } = change;
  const followed = rows.filter((row) => {
    const own = targetOf(record, row, options);
    return own !== undefined && (target === undefined ? own.pattern === '' : own.key === target.key);
  });
  const [first] = followed;
  if (first === undefined) return unfollowed(record, rows, target?.pattern ?? '');
  const following = followingOf(record, first);
  if (!following.follows) return undefined;
  const { trigger } = following;
  const of = { task: record.definition.name, trigger: trigger.name };
  const { indexDigest, previous, previousPlatforms = {} } = happening;
  const platforms = { ...happening.platforms, ...target?.digests };
  const now = { indexDigest, platforms, previous, previousPlatforms };
  const compared = compareBases(followed, now, trigger);
  const isNew = 'code' in compared && compared.code === 'first-sight';
  const stale = isNew ? awaitedBases(followed, now, trigger, await store.runs.last(record.definition.name)) : compared.stale;
  if (stale.length === 0 && 'code' in compared) return skipped(of, compared.code, compared.because);
  return refusedByChain(record, change.chain, of) ?? { record, trigger, stale };
}

/** Said of tasks that would follow it, were they set up otherwise. */
function unfollowed(record: TaskRecord, rows: readonly ImageDependency[], pattern: string): Decision | undefined {
  for (const row of rows) {
    const following = followingOf(record, row);
    const trigger = record.definition.trigger?.baseImageTrigger;
    if (following.follows || following.code === 'no-trigger' || trigger === undefined || patternFor(trigger, row) !== pattern) continue;
    return skipped({ task: record.definition.name, trigger: trigger.name }, following.code, following.because);
  }
  return undefined;
}

function refusedByChain(
  record: TaskRecord,
  chain: Chain | undefined,
  of: { readonly task: string; readonly trigger: string },
): Decision | undefined {
  const cycle = chain?.cycleOf(record.definition.name);
  if (cycle !== undefined) {
    return skipped(
      of,
      'already-in-chain',
      `run ${chain?.run} pushed it, and the task is in the chain that led there: ${cycle.join(' → ')}`,
    );
  }
  if (chain === undefined || chain.length < LONGEST_CHAIN) return undefined;
  return skipped(
    of,
    'chain-too-long',
    `run ${chain.run} pushed it at the end of a chain of ${chain.length} runs; at most ${LONGEST_CHAIN} follow one another`,
  );
}
