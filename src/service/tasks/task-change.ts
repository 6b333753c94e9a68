import type { Diagnostic } from '../../model/diagnostic.ts';
import type { TaskDefinition, TaskRecord } from '../../model/task-definition.ts';

export interface ChangeOptions {
  /** The etag: the change is refused with `version-conflict` when the task is at another version. */
  readonly version?: number;
  /** Changes a task that a file manages. */
  readonly force?: boolean;
  /** The file on whose behalf the change is made; it owns the task from then on. */
  readonly managedBy?: string;
  /** Beginning of owners from which the task is taken over: files of one folder pass tasks to one another. */
  readonly takesFrom?: string;
}

/** What a change did or would do. `record.definition` has sealed values: answers never show them (`shownWithout`). */
export interface TaskChange {
  readonly action: 'created' | 'updated' | 'unchanged';
  /** Paths of the fields that differ, as `step.target`. */
  readonly changes: readonly string[];
  readonly record: TaskRecord;
  readonly warnings: readonly Diagnostic[];
}

/** A change that was checked and not yet made. */
export interface TaskPlan extends Omit<TaskChange, 'record'> {
  readonly definition: TaskDefinition;
  readonly existing: TaskRecord | undefined;
}
