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
  /** By key: the ids of the tasks that ask for it, and what they ask for together. */
  readonly #asked = new Map<string, { readonly tasks: Set<string>; target: ImageTarget }>();

  /** Keys of what is asked for otherwise than before: another target, platform or interval. */
  set(record: TaskRecord, rows: readonly ImageDependency[], options: TargetOptions): readonly string[] {
    return this.#put(record.id, merge(rows.flatMap((row) => targetOf(record, row, options) ?? [])));
  }

  /** Likewise. */
  delete(taskId: string): readonly string[] {
    return this.#put(taskId, []);
  }

  all(): readonly ImageTarget[] {
    return [...this.#asked.values()].map(({ target }) => target);
  }

  /** Undefined when no task asks for it. */
  target(key: string): ImageTarget | undefined {
    return this.#asked.get(key)?.target;
  }

  of(taskId: string): readonly ImageTarget[] {
    return this.#byTask.get(taskId) ?? [];
  }

  #put(taskId: string, own: readonly ImageTarget[]): readonly string[] {
    const before = this.of(taskId);
    if (own.length === 0) this.#byTask.delete(taskId);
    else this.#byTask.set(taskId, own);
    const keys = [...new Set([...before, ...own].map(({ key }) => key))];
    return keys.filter((key) => {
      const was = JSON.stringify(this.target(key));
      const [earlier, now] = [before.find(hasKey(key)), own.find(hasKey(key))];
      if (JSON.stringify(earlier) !== JSON.stringify(now)) this.#ask(key, taskId, { earlier, now });
      return JSON.stringify(this.target(key)) !== was;
    });
  }

  /** One task more is added to what the others ask for; for one that asks otherwise all are asked again. */
  #ask(
    key: string,
    taskId: string,
    { earlier, now }: { readonly earlier: ImageTarget | undefined; readonly now: ImageTarget | undefined },
  ): void {
    const known = this.#asked.get(key);
    const tasks = known?.tasks ?? new Set<string>();
    if (now === undefined) tasks.delete(taskId);
    else tasks.add(taskId);
    const [target] =
      earlier === undefined && now !== undefined
        ? merge(known === undefined ? [now] : [known.target, now])
        : merge([...tasks].flatMap((task) => this.of(task).find(hasKey(key)) ?? []));
    if (target === undefined) this.#asked.delete(key);
    else this.#asked.set(key, { tasks, target });
  }
}

function hasKey(wanted: string): (target: ImageTarget) => boolean {
  return ({ key }) => key === wanted;
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
