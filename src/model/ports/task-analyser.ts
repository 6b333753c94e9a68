import type { TaskRecord } from '../task-definition.ts';
import type { ImageTag } from '../trigger-event.ts';
import type { ImageDependency } from './image-watch-store.ts';

/** Reads what a task builds on and pushes from its files, without running it. */
export type TaskAnalyser = (record: TaskRecord, signal: AbortSignal) => Promise<AnalysedTask>;

/** What could be found. */
export interface AnalysedTask {
  readonly dependencies: readonly Pick<ImageDependency, 'step' | 'platform' | 'image' | 'written' | 'role'>[];
  /** `tag` is empty when each run makes its own. */
  readonly outputs: readonly ImageTag[];
  /** All steps that build; absent when the task itself could not be read. */
  readonly steps?: readonly string[];
  /** What could not be read, for people. */
  readonly error?: string;
  /** The same may be read later: a network, a server. */
  readonly transient?: boolean;
}
