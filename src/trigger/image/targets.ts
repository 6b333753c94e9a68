import { createHash } from 'node:crypto';
import type { ImageDependency, ImageTarget } from '../../model/ports/image-watch-store.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import type { ImageTag } from '../../model/trigger-event.ts';
import { followingOf } from './following.ts';

export interface TargetOptions {
  /** Seconds, for triggers that do not say. */
  readonly poll: ImageTarget['poll'];
  readonly credentialOf: (record: TaskRecord, host: string) => string;
}

/** Shorter intervals would bring the registry's limits nearer than the news. */
const LEAST_POLL_SECONDS = 60;

/** What registries are asked for one dependency of a task; undefined when the task does not follow it. */
export function targetOf(record: TaskRecord, dependency: ImageDependency, options: TargetOptions): ImageTarget | undefined {
  const following = followingOf(record, dependency);
  if (!following.follows) return undefined;
  const { pattern, trigger } = following;
  const { registry, repository, tag } = dependency.image;
  // One pattern serves whatever tag is written.
  const image = { registry, repository, tag: pattern === '' ? tag : '' };
  const credential = options.credentialOf(record, registry);
  const least = Math.max(LEAST_POLL_SECONDS, (trigger.poll ?? options.poll).least);
  return {
    key: targetKey(image, pattern, credential),
    ...{ image, credential, pattern },
    poll: { least, most: Math.max(least, (trigger.poll ?? options.poll).most) },
    platforms: dependency.platform === '' ? [] : [dependency.platform],
  };
}

export function targetKey({ registry, repository, tag }: ImageTag, pattern: string, credential: string): string {
  return createHash('sha256')
    .update(JSON.stringify([registry, repository, tag, pattern, credential]))
    .digest('hex')
    .slice(0, 32);
}

/** The targets of every task, each once: what tasks ask for together. */
export class TargetBook {
  readonly #byTask = new Map<string, readonly ImageTarget[]>();

  /** True when it follows something else than before: a target, a platform, an interval. */
  set(record: TaskRecord, rows: readonly ImageDependency[], options: TargetOptions): boolean {
    const own = merge(rows.flatMap((row) => targetOf(record, row, options) ?? []));
    const before = this.of(record.id);
    if (own.length === 0) this.#byTask.delete(record.id);
    else this.#byTask.set(record.id, own);
    return JSON.stringify(before) !== JSON.stringify(own);
  }

  /** True when it followed something. */
  delete(taskId: string): boolean {
    return this.#byTask.delete(taskId);
  }

  all(): readonly ImageTarget[] {
    return merge([...this.#byTask.values()].flat());
  }

  of(taskId: string): readonly ImageTarget[] {
    return this.#byTask.get(taskId) ?? [];
  }
}

/** One of each key, in order of keys: all platforms, and the shortest interval that is asked for. */
function merge(targets: readonly ImageTarget[]): readonly ImageTarget[] {
  const merged = new Map<string, ImageTarget>();
  for (const target of targets) {
    const known = merged.get(target.key);
    merged.set(target.key, known === undefined ? target : together(known, target));
  }
  return [...merged.values()].sort((left, right) => (left.key < right.key ? -1 : 1));
}

function together(one: ImageTarget, other: ImageTarget): ImageTarget {
  const fresh = other.platforms.filter((platform) => !one.platforms.includes(platform));
  const shorter = other.poll.least < one.poll.least || (other.poll.least === one.poll.least && other.poll.most < one.poll.most);
  if (fresh.length === 0 && !shorter) return one;
  return { ...one, poll: shorter ? other.poll : one.poll, platforms: [...one.platforms, ...fresh].sort() };
}
