import type { Checked, Diagnostic, SourceRange } from '../model/diagnostic.ts';
import type { Plan } from '../model/plan.ts';
import type { Task } from '../model/task.ts';
import { err, ok } from '../util/result.ts';
import { type CompileOptions, compilePlan } from './compile-plan.ts';
import { readTaskText, type TaskInputs } from './load-task.ts';

/** A task file and what an engine would execute of it. */
export interface LoadedPlan {
  readonly task: Task;
  readonly plan: Plan;
}

/**
 * Reads and compiles a task text. What is wrong with its command lines is reported together with what is wrong with its properties:
 * nobody mends a file twice.
 */
export async function loadPlan(inputs: TaskInputs, options: CompileOptions): Promise<Checked<LoadedPlan>> {
  const { task, problems } = await readTaskText(inputs);
  if (task === undefined) return err(problems.all());
  const compiled = compilePlan(task, options);
  const said = compiled.ok ? compiled.value.warnings : compiled.error;
  const { errors } = problems;
  // A property that could not be read looks like one that is not there: what is said about its place is said already.
  problems.add(errors.length === 0 ? said : said.filter((diagnostic) => !isSaid(diagnostic, [...errors])));
  if (!compiled.ok || problems.errors.length > 0) return err(problems.all());
  return ok({ value: { task, plan: compiled.value.value }, warnings: problems.warnings });
}

function isSaid({ code, range }: Diagnostic, errors: readonly Diagnostic[]): boolean {
  return errors.some((error) => (range === undefined || error.range === undefined ? error.code === code : overlap(range, error.range)));
}

function overlap(a: SourceRange, b: SourceRange): boolean {
  return a.source === b.source && a.start < b.end && b.start < a.end;
}
