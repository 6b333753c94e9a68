import type { Clock } from '../../model/ports/clock.ts';
import type { ImageDependency, ImageTargetState } from '../../model/ports/image-watch-store.ts';
import type { Store } from '../../model/ports/store.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import { triggersOf } from '../../model/trigger-definition.ts';
import type { ImageTag, NewTriggerEvent } from '../../model/trigger-event.ts';
import { allTasks } from '../all-tasks.ts';
import { DependencyGraph, type FollowedBase } from './dependency-graph.ts';
import { Turns } from './in-parallel.ts';
import { firstSightEvents, staleEvents } from './level-events.ts';
import { TargetBook, type TargetOptions, targetOf } from './targets.ts';

export interface WatchedTasksParts {
  readonly store: Pick<Store, 'tasks' | 'imageWatch' | 'events'>;
  readonly clock: Clock;
  readonly targets: TargetOptions;
  /** There may be new targets, or others for more platforms: they are due. `gone`: keys of those that are followed no more. */
  readonly onChanged: (gone: readonly string[]) => void;
}

/** What tasks follow, in memory, and as targets in the store. */
export class WatchedTasks {
  readonly #parts: WatchedTasksParts;
  readonly #book = new TargetBook();
  readonly #names = new Map<string, string>();
  readonly #turns = new Turns();
  /** Keys of targets that tasks ask for otherwise than before, until the store has been told. */
  readonly #changed = new Set<string>();
  #telling: Promise<void> | undefined;
  #graph: Promise<DependencyGraph> | undefined;

  constructor(parts: WatchedTasksParts) {
    this.#parts = parts;
  }

  /** Reads everything. Resolves with the events of what changed while nobody looked. */
  async start(onTask: (record: TaskRecord) => Promise<void>): Promise<readonly NewTriggerEvent[]> {
    const { store, targets: options } = this.#parts;
    const rows = Map.groupBy(await store.imageWatch.dependencies({}), ({ taskId }) => taskId);
    const known = new Map((await store.imageWatch.targets({})).map((target) => [target.key, target]));
    const events: NewTriggerEvent[] = [];
    for await (const page of allTasks(store.tasks)) {
      for (const record of page) {
        const own = rows.get(record.id) ?? [];
        this.#names.set(record.definition.name, record.id);
        this.#book.set(record, own, options);
        events.push(...staleEvents(record, own, known, options));
        await onTask(record);
      }
    }
    const there = new Set(this.#names.values());
    for (const id of rows.keys()) if (!there.has(id)) await store.imageWatch.forget(id);
    await store.imageWatch.sync(this.#book.all());
    this.#parts.onChanged([]);
    return events;
  }

  /** Brings what a task follows in line with what is known of it. Resolves with the events of images that are not as its last build had them. */
  async refresh(record: TaskRecord): Promise<readonly NewTriggerEvent[]> {
    const { store, targets: options } = this.#parts;
    const rows = await store.imageWatch.dependencies({ taskId: record.id });
    this.#names.set(record.definition.name, record.id);
    this.#graph = undefined;
    await this.#tellChanges(this.#book.set(record, rows, options));
    if (triggersOf(record.definition).baseImageTrigger === undefined || rows.length === 0) return [];
    const targets = await this.#targetsOf(record.id);
    if (rows.some(({ state }) => state === 'built')) return staleEvents(record, rows, targets, options);
    const [decided] = await store.events.decisions({ task: record.definition.name, limit: 1 });
    return decided === undefined ? firstSightEvents(record, rows, targets, options) : [];
  }

  async forget(name: string): Promise<void> {
    const id = this.#names.get(name);
    if (id === undefined) return;
    this.#names.delete(name);
    this.#graph = undefined;
    await this.#parts.store.imageWatch.forget(id);
    await this.#tellChanges(this.#book.delete(id));
  }

  keysOf(taskId: string): readonly string[] {
    return this.#book.of(taskId).map(({ key }) => key);
  }

  basesOf(taskId: string): readonly FollowedBase[] {
    return this.#book.of(taskId);
  }

  idOf(name: string): string | undefined {
    return this.#names.get(name);
  }

  /** Targets that a push of this tag can be news for, in every credential. */
  async targetsOfTag({ registry, repository, tag }: ImageTag): Promise<readonly ImageTargetState[]> {
    const all = await this.#parts.store.imageWatch.targets({ image: { registry, repository } });
    return all.filter((target) => target.pattern !== '' || target.image.tag === tag);
  }

  /** What patterns that a task follows have found, by dependency; an empty tag: nothing yet. */
  async newestTags(record: TaskRecord): Promise<readonly { readonly row: ImageDependency; readonly key: string; readonly tag: string }[]> {
    const { store, targets: options } = this.#parts;
    if (!tracksTags(record)) return [];
    const known = await this.#targetsOf(record.id);
    const rows = await store.imageWatch.dependencies({ taskId: record.id });
    return rows.flatMap((row) => {
      const target = known.get(targetOf(record, row, options)?.key ?? '');
      return target === undefined || target.pattern === '' ? [] : [{ row, key: target.key, tag: target.newestTag }];
    });
  }

  /** Targets of the patterns that a task follows. */
  patternKeysOf(record: TaskRecord): readonly string[] {
    return tracksTags(record) ? this.#book.of(record.id).flatMap(({ key, pattern }) => (pattern === '' ? [] : [key])) : [];
  }

  /** Who builds on whose images, among what is followed. */
  graph(): Promise<DependencyGraph> {
    this.#graph ??= this.#readGraph();
    return this.#graph;
  }

  outputsChanged(): void {
    this.#graph = undefined;
  }

  async #readGraph(): Promise<DependencyGraph> {
    const outputs = Map.groupBy(await this.#parts.store.imageWatch.outputs({}), ({ taskId }) => taskId);
    const tasks = [...this.#names].map(([name, id]) => ({
      ...{ id, name },
      bases: this.#book.of(id),
      outputs: (outputs.get(id) ?? []).map(({ image }) => image),
    }));
    return new DependencyGraph(tasks);
  }

  async #targetsOf(taskId: string): Promise<ReadonlyMap<string, ImageTargetState>> {
    const found = await Promise.all(this.keysOf(taskId).map((key) => this.#parts.store.imageWatch.targets({ key })));
    return new Map(found.flat().map((target) => [target.key, target]));
  }

  /** Many tasks changed together are one write. */
  async #tellChanges(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    for (const key of keys) this.#changed.add(key);
    this.#telling ??= Promise.resolve().then(() =>
      this.#turns.take(() => {
        this.#telling = undefined;
        return this.#tellStore();
      }),
    );
    await this.#telling;
  }

  async #tellStore(): Promise<void> {
    const keys = [...this.#changed];
    this.#changed.clear();
    const follow = keys.flatMap((key) => this.#book.target(key) ?? []);
    const unfollow = keys.filter((key) => this.#book.target(key) === undefined);
    try {
      await this.#parts.store.imageWatch.change({ follow, unfollow });
    } catch (error) {
      // Told with the next change.
      for (const key of keys) this.#changed.add(key);
      throw error;
    }
    this.#parts.onChanged(unfollow);
  }
}

function tracksTags({ definition }: TaskRecord): boolean {
  return triggersOf(definition).baseImageTrigger?.tracks.some(({ by }) => by !== 'digest') === true;
}
