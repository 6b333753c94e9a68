import type { DependencyGraph } from '../../api/dependency-schema.ts';
import type { ChosenBase } from '../../model/run-record.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import type { HookIntake } from '../../trigger/hook-intake.ts';

/** Of the images that tasks build on. */
export interface ImageOperations {
  /** What the tracks of a task choose in place of the base images that it writes, after a short look at registries. */
  freshBaseImagesOf(record: TaskRecord): Promise<readonly ChosenBase[]>;
  dependencies(query: DependencyQuery, visible: ((task: string) => boolean) | undefined): Promise<DependencyGraph>;
}

/** Where deliveries of forges and registries are taken. */
export interface HookOperations extends Pick<HookIntake, 'receive'> {
  /** Whether there is such a hook. */
  knows(id: string): Promise<boolean>;
}

export interface DependencyQuery {
  readonly task?: string;
  readonly image?: string;
  readonly whatIf?: string;
}
