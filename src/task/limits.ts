import type { RenderLimits } from './template/budget.ts';
import { YAML_LIMITS, type YamlLimits } from './yaml/parse-yaml.ts';

/** What reading one task may cost. */
export interface TaskLimits {
  /** Of each text that is read as YAML: the task, its values, files of aliases. */
  readonly yaml: YamlLimits;
  /** Of all rendering together: the task with and without its secrets, and each use of an alias. The templates' own limits, a text at a time, unless given. */
  readonly template?: RenderLimits;
  readonly steps: number;
}

/** For who runs tasks of his own: far beyond real ones; a run of more steps would not end in a day. */
export const OWN_TASK_LIMITS: TaskLimits = { yaml: YAML_LIMITS, steps: 100_000 };

/** For a process that many use: whatever a task says, reading it holds the others up for a fraction of a second. */
export const SHARED_TASK_LIMITS: TaskLimits = {
  yaml: { length: 4 * 1024 * 1024, nodes: 100_000, depth: 64 },
  template: { characters: 4 * 1024 * 1024, steps: 250_000, depth: 500 },
  steps: 1000,
};
