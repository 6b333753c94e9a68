import type { TaskRecord } from '../../model/task-definition.ts';
import { triggersOf } from '../../model/trigger-definition.ts';

/** Which tasks follow the runs of which. */
export class Followers {
  readonly #followers = new Map<string, Set<string>>();
  readonly #followed = new Map<string, readonly string[]>();

  set(name: string, record: TaskRecord | undefined): void {
    for (const task of this.#followed.get(name) ?? []) this.#followers.get(task)?.delete(name);
    const followed = record === undefined ? [] : triggersOf(record.definition).afterTriggers.map(({ task }) => task);
    if (followed.length === 0) this.#followed.delete(name);
    else this.#followed.set(name, followed);
    for (const task of followed) {
      const known = this.#followers.get(task) ?? new Set();
      this.#followers.set(task, known.add(name));
    }
  }

  /** By name. */
  of(task: string): readonly string[] {
    return [...(this.#followers.get(task) ?? [])].sort();
  }
}
