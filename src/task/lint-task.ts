import type { Diagnostic } from '../model/diagnostic.ts';
import { compilePlan } from './compile-plan.ts';
import { loadTask, type TaskInputs } from './load-task.ts';
import type { LintOptions } from './read/lint-fields.ts';

/**
 * Everything there is to say about a task file, errors first: what keeps it from running, unknown keys, properties without
 * effect, and with `acr` the extensions that Azure Container Registry does not know.
 */
export async function lintTask(inputs: TaskInputs, options: LintOptions): Promise<readonly Diagnostic[]> {
  const loaded = await loadTask({ ...inputs, lint: options });
  if (!loaded.ok) return loaded.error;
  const { value: task, warnings } = loaded.value;
  const compiled = compilePlan(task, { extended: false });
  return compiled.ok ? [...warnings, ...compiled.value.warnings] : [...compiled.error, ...warnings];
}
