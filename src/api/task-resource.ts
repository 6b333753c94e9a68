import type { TaskRecord } from '../model/task-definition.ts';
import { triggersOf } from '../model/trigger-definition.ts';
import { showCredential, showStep, showTriggers } from './shown.ts';
import type { TaskResource } from './task-schema.ts';

/** A task as answers show it: without secret values. */
export function taskResourceOf({ definition, id, version, createdAt, updatedAt, managedBy }: TaskRecord): TaskResource {
  return {
    ...definition,
    id,
    version,
    creationDate: createdAt,
    lastUpdatedTime: updatedAt,
    ...(managedBy === undefined ? {} : { managedBy }),
    step: showStep(definition.step),
    credentials: definition.credentials.map(showCredential),
    trigger: showTriggers(triggersOf(definition)),
  };
}

/** The etag of a version of a task. */
export function etagOf(version: number): string {
  return `"${version}"`;
}
