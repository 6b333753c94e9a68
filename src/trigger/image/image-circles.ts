import type { ImageWatchStore } from '../../model/ports/image-watch-store.ts';
import { type FollowedBase, isNewsFor } from './dependency-graph.ts';
import { Turns } from './in-parallel.ts';

export interface CircleParts {
  readonly watch: Pick<ImageWatchStore, 'outputs' | 'analysis' | 'setStatic'>;
  /** What a task follows now. */
  readonly basesOf: (taskId: string) => readonly FollowedBase[];
  readonly idOf: (name: string) => string | undefined;
  /** Has a task read again, which takes away what was said of it. */
  readonly readAgain: (name: string) => void;
}

/** A task of a walk from a task to those whose images it builds on. */
interface Place {
  readonly name: string;
  /** The place that it was come from, which builds on it. */
  readonly from: Place | undefined;
}

/** Tasks of one walk: more than any chain of runs has. */
const MOST_TASKS = 200;

/** Says of tasks that build, over others, on what they push, that they do: with what their reading found. */
export class ImageCircles {
  readonly #parts: CircleParts;
  /** By name of the task: the circle that was told of it, in the order of building, itself first. */
  readonly #told = new Map<string, readonly string[]>();
  readonly #turns = new Turns();

  constructor(parts: CircleParts) {
    this.#parts = parts;
  }

  /** What is known of the task has changed. `isRead`: it was read anew, and what was said of it is gone. */
  changed(name: string, { isRead = false } = {}): Promise<void> {
    return this.#turns.take(async () => {
      const before = this.#told.get(name) ?? [];
      if (isRead) this.#told.delete(name);
      const found = await this.#circleOf(name);
      await this.#tell(name, found);
      const others = new Set([...before, ...(found ?? [])]);
      others.delete(name);
      for (const other of others) await this.#tell(other, await this.#circleOf(other));
    });
  }

  async #tell(name: string, circle: readonly string[] | undefined): Promise<void> {
    const known = this.#told.get(name);
    if (known?.join() === circle?.join()) return;
    const id = this.#parts.idOf(name);
    if (known !== undefined || circle === undefined || id === undefined) {
      this.#told.delete(name);
      // It is told of another circle, if there is one, when it was read.
      if (id !== undefined) this.#parts.readAgain(name);
      return;
    }
    const { watch } = this.#parts;
    const read = await watch.analysis(id);
    // It is about to be read.
    if (read === undefined) return;
    const said = `it builds on what it pushes: ${[...circle, name].join(' → ')}; a run that would close the circle is refused`;
    this.#told.set(name, circle);
    // By an earlier process.
    if (read.error?.includes(said) === true) return;
    const error = read.error === undefined ? said : `${said}; ${read.error}`;
    await watch.setStatic({ id, name, version: read.version }, { dependencies: [], outputs: [], error });
  }

  /** The shortest way from a task back to itself over those whose images it builds on, in the order of building. */
  async #circleOf(name: string): Promise<readonly string[] | undefined> {
    const places: Place[] = [{ name, from: undefined }];
    const seen = new Set<string>();
    for (const place of places) {
      for (const producer of await this.#producersOf(place.name)) {
        if (producer === name) return wayFrom(place);
        if (seen.has(producer) || places.length >= MOST_TASKS) continue;
        seen.add(producer);
        places.push({ name: producer, from: place });
      }
    }
    return undefined;
  }

  async #producersOf(name: string): Promise<readonly string[]> {
    const { watch, basesOf, idOf } = this.#parts;
    const id = idOf(name);
    const found: string[] = [];
    for (const base of id === undefined ? [] : basesOf(id)) {
      const { registry, repository } = base.image;
      const outputs = await watch.outputs({ image: { registry, repository } });
      found.push(...outputs.flatMap(({ task, taskId, image }) => (isNewsFor(base, image) && idOf(task) === taskId ? [task] : [])));
    }
    return found;
  }
}

/** The walk went from who builds to what it builds on: its last place is built on the image of the first. */
function wayFrom(last: Place): readonly string[] {
  const back: string[] = [];
  for (let place: Place | undefined = last; place !== undefined; place = place.from) back.push(place.name);
  const first = back.pop();
  return first === undefined ? [] : [first, ...back];
}
