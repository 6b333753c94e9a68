import type { Diagnostic } from '../model/diagnostic.ts';
import { loadPlan } from './load-plan.ts';
import type { TaskInputs } from './load-task.ts';
import type { LintOptions } from './read/lint-fields.ts';

/**
 * Everything there is to say about a task file, errors first: what keeps it from running, unknown keys, properties without
 * effect, and with `acr` the extensions that Azure Container Registry does not know.
 */
export async function lintTask(inputs: TaskInputs, options: LintOptions): Promise<readonly Diagnostic[]> {
  const loaded = await loadPlan({ ...inputs, lint: options }, { extended: options.extended });
  return loaded.ok ? loaded.value.warnings : loaded.error;
}
