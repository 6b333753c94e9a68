import type { Diagnostic } from '../../model/diagnostic.ts';
import type { TaskDefinition, TaskRecord } from '../../model/task-definition.ts';
import { type SourceTrigger, triggersOf } from '../../model/trigger-definition.ts';

/** What of a task's triggers is allowed and may not be what was meant. */
export async function triggerWarnings(
  definition: TaskDefinition,
  taskOf: (name: string) => Promise<TaskRecord | undefined>,
): Promise<readonly Diagnostic[]> {
  const { sourceTriggers, afterTriggers } = triggersOf(definition);
  const hasToken = definition.step.contextAccessToken !== undefined;
  const warnings = sourceTriggers.flatMap((source, index) => pollingWarning(source, hasToken, index));
  for (const [index, { task }] of afterTriggers.entries()) {
    if ((await taskOf(task)) !== undefined) continue;
    warnings.push({
      code: 'trigger-task-missing',
      severity: 'warning',
      message: `there is no task ${JSON.stringify(task)} to run after`,
      field: `trigger.afterTriggers[${index}].task`,
    });
  }
  return warnings;
}

/** Without a token no webhook can be made through the forge's API, and no status be told to it. */
function pollingWarning({ name, status, sourceRepository, pollInterval }: SourceTrigger, hasToken: boolean, index: number): Diagnostic[] {
  const { sourceControlType, sourceControlAuthProperties: auth } = sourceRepository;
  if (status === 'Disabled' || sourceControlType === 'Generic' || auth !== undefined || hasToken) return [];
  const never = pollInterval === 0;
  return [
    {
      code: 'trigger-polls',
      severity: 'warning',
      message: never
        ? `the trigger ${name} has no token and does not poll: it waits for a webhook that you set up`
        : `the trigger ${name} has no token: its repository is looked at every few minutes, until you set up a webhook`,
      help: '`task trigger webhook NAME` shows how; with `--git-access-token` it sets it up, and commits get statuses.',
      field: `trigger.sourceTriggers[${index}]`,
    },
  ];
}
