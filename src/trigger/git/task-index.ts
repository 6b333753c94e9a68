import type { TaskRecord } from '../../model/task-definition.ts';
import { type FollowedTrigger, followedTriggers } from './followed.ts';

/** Which tasks follow which repositories, without their definitions: an event of one repository reads no task of another. */
export class TaskIndex {
  readonly #byTask = new Map<string, readonly FollowedTrigger[]>();
  readonly #byRepository = new Map<string, Set<string>>();
  readonly #byKey = new Map<string, Set<string>>();

  /** The triggers that the task had before, and has now. */
  set(
    name: string,
    record: TaskRecord | undefined,
  ): { readonly before: readonly FollowedTrigger[]; readonly now: readonly FollowedTrigger[] } {
    const before = this.#byTask.get(name) ?? [];
    const now = record === undefined ? [] : followedTriggers(record);
    for (const { repository, key } of before) {
      take(this.#byRepository, repository, name);
      take(this.#byKey, key, name);
    }
    for (const { repository, key } of now) {
      put(this.#byRepository, repository, name);
      put(this.#byKey, key, name);
    }
    if (now.length === 0) this.#byTask.delete(name);
    else this.#byTask.set(name, now);
    return { before, now };
  }

  of(task: string): readonly FollowedTrigger[] {
    return this.#byTask.get(task) ?? [];
  }

  /** Names in order. */
  tasksOf(repository: string): readonly string[] {
    return [...(this.#byRepository.get(repository) ?? [])].sort();
  }

  /** Those that are enabled. */
  enabledOf(key: string): readonly FollowedTrigger[] {
    const tasks = [...(this.#byKey.get(key) ?? [])];
    return tasks.flatMap((task) => (this.#byTask.get(task) ?? []).filter((followed) => followed.key === key && followed.enabled));
  }

  /** What is to be watched: an enabled trigger of each key, or of these. */
  watched(keys: Iterable<string> = this.#byKey.keys()): readonly { readonly key: string; readonly url: string }[] {
    return [...keys].flatMap((key) => {
      const first = this.#firstEnabled(key);
      return first === undefined ? [] : [{ key, url: first.url }];
    });
  }

  #firstEnabled(key: string): FollowedTrigger | undefined {
    for (const task of this.#byKey.get(key) ?? []) {
      const first = this.#byTask.get(task)?.find((followed) => followed.key === key && followed.enabled);
      if (first !== undefined) return first;
    }
    return undefined;
  }
}

function put(map: Map<string, Set<string>>, key: string, name: string): void {
  const names = map.get(key);
  if (names === undefined) map.set(key, new Set([name]));
  else names.add(name);
}

function take(map: Map<string, Set<string>>, key: string, name: string): void {
  const names = map.get(key);
  names?.delete(name);
  if (names?.size === 0) map.delete(key);
}
