import type { Diagnostic } from '../../model/diagnostic.ts';
import { EngineError } from '../../model/engine-error.ts';
import type { Clock } from '../../model/ports/clock.ts';
import type { HookStore } from '../../model/ports/hook-store.ts';
import type { SecretBox } from '../../model/ports/secret-box.ts';
import type { TaskStore } from '../../model/ports/store.ts';
import type { Principal } from '../../model/security.ts';
import type { TaskDefinition, TaskRecord } from '../../model/task-definition.ts';
import type { TaskInput } from '../../model/task-input.ts';
import { triggersOf } from '../../model/trigger-definition.ts';
import type { SecretService } from '../security/secret-service.ts';
import { completeTask } from './complete-task.ts';
import { changedFields } from './definition-changes.ts';
import { checkTaskInput } from './definition-checks.ts';
import { refuseFields } from './field-problem.ts';
import { checkInlineTask } from './inline-task.ts';
import { namedSecretsOf } from './secret-places.ts';
import type { ChangeOptions, TaskPlan } from './task-change.ts';
import type { TaskDefaults } from './task-defaults.ts';
import { guardConcurrency, guardPolicy } from './task-guard.ts';
import { triggerWarnings } from './trigger-warnings.ts';

export interface PlanParts {
  readonly tasks: Pick<TaskStore, 'get'>;
  readonly box: SecretBox;
  readonly secrets: Pick<SecretService, 'problemsOf'>;
  readonly clock: Clock;
  readonly defaults: TaskDefaults;
  /** Webhooks that are there already. */
  readonly hooks?: Pick<HookStore, 'list'>;
}

/** Checks what a task is to be and says what would change, without changing it. Rejects with EngineError. */
export async function planTask(
  parts: PlanParts,
  asked: {
    readonly principal: Principal;
    readonly input: TaskInput;
    readonly existing: TaskRecord | undefined;
    readonly options?: ChangeOptions;
  },
): Promise<TaskPlan> {
  const { principal, input, existing, options = {} } = asked;
  const { defaults, box } = parts;
  const problems = [...checkTaskInput(input, defaults)];
  refuseFields(problems);
  const definition = completeTask(input, { defaults, box, existing: existing?.definition, problems });
  refuseFields(problems);
  guardPolicy(principal, existing?.definition, definition);
  if (changedFields(existing?.definition.concurrency, definition.concurrency).length > 0)
    guardConcurrency(principal, definition.concurrency);
  const before = existing === undefined ? undefined : { ...existing.definition, trigger: triggersOf(existing.definition) };
  const changes = changedFields(before, definition);
  const owner = options.managedBy !== undefined && options.managedBy !== existing?.managedBy ? ['managedBy'] : [];
  const all = existing === undefined ? [] : [...changes, ...owner];
  const action = existing === undefined ? 'created' : all.length > 0 ? 'updated' : 'unchanged';
  return { action, changes: all, definition, existing, warnings: await warningsOf(parts, definition, existing?.definition) };
}

/** Warnings, or a refusal of a broken inline task. */
async function warningsOf(
  { tasks, secrets, clock, defaults, hooks }: PlanParts,
  definition: TaskDefinition,
  before: TaskDefinition | undefined,
): Promise<readonly Diagnostic[]> {
  const lacking = await secrets.problemsOf(namedSecretsOf(definition), definition.name);
  const warnings = lacking.map((message): Diagnostic => ({ code: 'task-secret', severity: 'warning', message }));
  warnings.push(
    ...(await triggerWarnings(definition, before, { taskOf: (name) => tasks.get(name), ...(hooks === undefined ? {} : { hooks }) })),
  );
  const { step } = definition;
  if (step.type !== 'EncodedTask') return warnings;
  const checked = await checkInlineTask(step, definition, definition.registry ?? defaults.registry, clock.now());
  if (checked.ok) return [...warnings, ...checked.value.warnings];
  const first = checked.error.find(({ severity }) => severity === 'error');
  throw new EngineError('bad-task', `the task file in \`step.encodedTaskContent\` has errors: ${first?.message ?? 'see the diagnostics'}`, {
    diagnostics: checked.error,
  });
}
