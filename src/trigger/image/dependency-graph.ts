import type { ImageTag } from '../../model/trigger-event.ts';
import { imageText, sameRepository } from './image-tag.ts';
import { satisfies } from './newest-tag.ts';

/** A task between the images that it follows and those that it pushes. */
export interface GraphTask {
  readonly id: string;
  readonly name: string;
  /** What it follows: a tag, or (with an empty tag) a pattern of tags. */
  readonly bases: readonly FollowedBase[];
  /** An empty tag: each run makes its own. */
  readonly outputs: readonly ImageTag[];
}

export interface FollowedBase {
  readonly image: ImageTag;
  readonly pattern: string;
}

/** Whether a push of an image can be news for who follows a base. A tag that each run makes anew is known by patterns only. */
export function isNewsFor({ image, pattern }: FollowedBase, pushed: ImageTag): boolean {
  if (!sameRepository(image, pushed)) return false;
  if (pattern === '') return image.tag === pushed.tag;
  return pushed.tag === '' || satisfies(pattern, pushed.tag);
}

/** Who builds on whose images. Immutable. */
export class DependencyGraph {
  readonly #tasks: ReadonlyMap<string, GraphTask>;
  /** By task: those whose outputs it follows. */
  readonly #producers = new Map<string, readonly string[]>();
  readonly #followed = new Set<string>();
  readonly #upstream = new Map<string, ReadonlySet<string>>();
  readonly #ids: ReadonlyMap<string, string>;

  constructor(tasks: readonly GraphTask[]) {
    this.#tasks = new Map(tasks.map((task) => [task.id, task]));
    this.#ids = new Map(tasks.map(({ id, name }) => [name, id]));
    const pushed = new Map<string, { readonly id: string; readonly image: ImageTag }[]>();
    for (const { id, outputs } of tasks) for (const image of outputs) grouped(pushed, repositoryOf(image)).push({ id, image });
    for (const { id, bases } of tasks) {
      const found = bases.flatMap((base) => (pushed.get(repositoryOf(base.image)) ?? []).filter(({ image }) => isNewsFor(base, image)));
      if (found.length > 0) this.#producers.set(id, [...new Set(found.map((one) => one.id))]);
      for (const one of found) this.#followed.add(one.id);
    }
  }

  task(id: string): GraphTask | undefined {
    return this.#tasks.get(id);
  }

  idOf(name: string): string | undefined {
    return this.#ids.get(name);
  }

  /** Tasks whose outputs it follows. */
  producers(id: string): readonly string[] {
    return this.#producers.get(id) ?? [];
  }

  /** Whether any task follows its outputs. */
  isFollowed(id: string): boolean {
    return this.#followed.has(id);
  }

  /** Tasks that it follows over any number of others; itself when it is on a cycle. */
  upstream(id: string): ReadonlySet<string> {
    const known = this.#upstream.get(id);
    if (known !== undefined) return known;
    const found = new Set<string>();
    const open = [...this.producers(id)];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (found.has(next)) continue;
      found.add(next);
      open.push(...this.producers(next));
    }
    this.#upstream.set(id, found);
    return found;
  }

  /** Whether `id` has to wait for `other`: it follows it, and is not followed by it. */
  isAfter(id: string, other: string): boolean {
    return id !== other && this.upstream(id).has(other) && !this.upstream(other).has(id);
  }

  /** The tasks in an order in which each comes after those that it has to wait for. Stable. */
  inOrder(ids: readonly string[]): readonly string[] {
    const wanted = new Set(ids);
    const before = (id: string): number => [...this.upstream(id)].filter((other) => wanted.has(other) && this.isAfter(id, other)).length;
    // Who has to wait for another waits for all that that one waits for, so the numbers grow along every path.
    return ids
      .map((id, at) => ({ id, at, before: before(id) }))
      .sort((a, b) => a.before - b.before || a.at - b.at)
      .map(({ id }) => id);
  }

  /** One cycle for each knot of tasks that follow one another: names, each after the one whose image it builds on; the first is not repeated. */
  cycles(): readonly (readonly string[])[] {
    const seen = new Set<string>();
    const found: (readonly string[])[] = [];
    for (const id of this.#tasks.keys()) {
      if (seen.has(id) || !this.upstream(id).has(id)) continue;
      for (const other of this.upstream(id)) if (this.upstream(other).has(id)) seen.add(other);
      found.push(this.#cycleThrough(id).map((one) => this.#tasks.get(one)?.name ?? one));
    }
    return found;
  }

  /** The shortest way from a task back to itself, in the order of building. */
  #cycleThrough(id: string): readonly string[] {
    const cameFrom = new Map<string, string>();
    const open = [id];
    for (let at = 0; at < open.length; at += 1) {
      const next = open[at] ?? '';
      for (const producer of this.producers(next)) {
        if (producer === id) return pathBack(next, id, cameFrom);
        if (cameFrom.has(producer)) continue;
        cameFrom.set(producer, next);
        open.push(producer);
      }
    }
    return [id];
  }
}

/** The walk went from who builds to what it builds on, and ended at `last`, which builds on `id`: the way back is the order of building. */
function pathBack(last: string, id: string, cameFrom: ReadonlyMap<string, string>): readonly string[] {
  const path = [last];
  for (let at = last; at !== id; ) {
    at = cameFrom.get(at) ?? id;
    path.push(at);
  }
  return [id, ...path.slice(0, -1)];
}

function repositoryOf({ registry, repository }: ImageTag): string {
  return imageText({ registry, repository, tag: '' });
}

function grouped<Key, Value>(groups: Map<Key, Value[]>, key: Key): Value[] {
  const known = groups.get(key) ?? [];
  groups.set(key, known);
  return known;
}
