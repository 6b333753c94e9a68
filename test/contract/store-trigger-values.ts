import type { Firing, Store } from '../../src/model/ports/store.ts';
import type { TaskRecord } from '../../src/model/task-definition.ts';
import type { ImageTag, NewTriggerEvent } from '../../src/model/trigger-event.ts';
import { taskDefinition } from './store-values.ts';

/** The time that the clock of every contract test starts at, so many milliseconds later. */
export function at(ms = 0): string {
  return new Date(Date.UTC(2030, 0, 2, 3, 4, 5) + ms).toISOString();
}

export function newEvent(dedupKey: string, parts: Partial<NewTriggerEvent> = {}): NewTriggerEvent {
  const repository = { forge: 'Gitea', url: 'https://git.example/app.git' } as const;
  return {
    dedupKey,
    origin: 'webhook',
    happening: { kind: 'push', repository, ref: 'refs/heads/main', before: '0'.repeat(40), after: 'a'.repeat(40) },
    ...parts,
  };
}

export function timerEvent(taskId: string, occurrence: string): NewTriggerEvent {
  const happening = { kind: 'timer', task: 'app', taskId, trigger: 'nightly', occurrence, late: false } as const;
  return { dedupKey: `timer:${taskId}:nightly:${occurrence}`, origin: 'timer', happening };
}

export async function newTask(store: Store, name = 'app', parts: Parameters<typeof taskDefinition>[1] = {}): Promise<TaskRecord> {
  const made = await store.tasks.create(taskDefinition(name, parts));
  if (!made.ok) throw new Error(`the task was not stored: ${made.because}`);
  return made.value;
}

export function firingOf(task: TaskRecord, ...keys: readonly string[]): Firing {
  return { taskId: task.id, trigger: 'main', keys, event: 'e1' };
}

export function imageTag(repository: string, tag = '1', registry = 'registry.example'): ImageTag {
  return { registry, repository, tag };
}

export function digestOf(letter: string): string {
  return `sha256:${letter.repeat(64)}`;
}
