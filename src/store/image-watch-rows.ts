import type { Selectable } from 'kysely';
import type { ImageDependency, ImageOutput, ImageTarget, ImageTargetState } from '../model/ports/image-watch-store.ts';
import { storedTime } from './stored-time.ts';
import type { StoreTables } from './tables.ts';

export type DependencyRow = Selectable<StoreTables['image_dependencies']>;
export type OutputRow = Selectable<StoreTables['image_outputs']>;
export type TargetRow = Selectable<StoreTables['image_targets']>;

export function dependencyOf(row: DependencyRow): ImageDependency {
  return {
    taskId: row.task_id,
    task: row.task,
    step: row.step,
    platform: row.platform,
    image: { registry: row.registry, repository: row.repository, tag: row.tag },
    written: row.written,
    role: row.role,
    indexDigest: row.index_digest,
    platformDigest: row.platform_digest,
    resolvedAt: row.resolved,
    state: row.state,
    ...(row.run === null ? {} : { run: row.run }),
  };
}

export function outputOf(row: OutputRow): ImageOutput {
  return {
    taskId: row.task_id,
    task: row.task,
    image: { registry: row.registry, repository: row.repository, tag: row.tag },
    state: row.state,
    ...(row.run === null ? {} : { run: row.run }),
  };
}

/** What is asked for, without what was found. */
export type WantedTarget = Pick<
  TargetRow,
  'key' | 'registry' | 'repository' | 'tag' | 'credential' | 'pattern' | 'least' | 'most' | 'platforms'
>;

export function wantedTargetOf({ key, image, credential, pattern, poll, platforms }: ImageTarget): WantedTarget {
  return { key, ...image, credential, pattern, ...poll, platforms: JSON.stringify([...new Set(platforms)].sort()) };
}

export function targetOf(row: TargetRow): ImageTargetState {
  return {
    key: row.key,
    image: { registry: row.registry, repository: row.repository, tag: row.tag },
    credential: row.credential,
    pattern: row.pattern,
    poll: { least: row.least, most: row.most },
    platforms: JSON.parse(row.platforms),
    indexDigest: row.index_digest,
    digests: JSON.parse(row.digests),
    newestTag: row.newest_tag,
    nextCheck: row.next_check,
    status: row.status,
    failures: row.failures,
    ...(row.checked === null ? {} : { checkedAt: row.checked }),
    ...(row.error === null ? {} : { error: row.error }),
  };
}

/** What a look found, as it is stored. */
export type FoundTarget = Pick<TargetRow, 'key' | 'index_digest' | 'digests' | 'newest_tag' | 'next_check'>;

export function foundTargetOf(look: Pick<ImageTargetState, 'key' | 'indexDigest' | 'digests' | 'newestTag' | 'nextCheck'>): FoundTarget {
  return {
    key: look.key,
    index_digest: look.indexDigest,
    digests: JSON.stringify(look.digests),
    newest_tag: look.newestTag,
    next_check: storedTime(look.nextCheck),
  };
}
