import type { Diagnostic } from '../../model/diagnostic.ts';
import type { HookRecord, HookStore } from '../../model/ports/hook-store.ts';
import type { TaskDefinition, TaskRecord } from '../../model/task-definition.ts';
import { type SourceTrigger, triggersOf } from '../../model/trigger-definition.ts';
import { canonicalRepositoryUrl } from '../../util/repository-url.ts';
import { circleWarnings } from './trigger-circles.ts';

/** What of a task's triggers is allowed and may not be what was meant. What is said of a trigger when it is made is not said again. */
export async function triggerWarnings(
  definition: TaskDefinition,
  before: TaskDefinition | undefined,
  { taskOf, hooks }: { readonly taskOf: (name: string) => Promise<TaskRecord | undefined>; readonly hooks?: Pick<HookStore, 'list'> },
): Promise<readonly Diagnostic[]> {
  const { sourceTriggers, afterTriggers } = triggersOf(definition);
  const hasToken = definition.step.contextAccessToken !== undefined;
  const known = new Map(before === undefined ? [] : triggersOf(before).sourceTriggers.map((source) => [source.name, source]));
  const fresh = sourceTriggers.filter((source) => !isKnown(source, known.get(source.name)));
  const told = fresh.length === 0 ? [] : ((await hooks?.list()) ?? []).filter(works).flatMap(repositoryOf);
  const warnings = fresh
    .filter(({ sourceRepository }) => !told.includes(keyOf(sourceRepository.repositoryUrl)))
    .flatMap((source) => pollingWarning(source, hasToken));
  for (const [index, { task }] of afterTriggers.entries()) {
    if ((await taskOf(task)) !== undefined) continue;
    warnings.push({
      code: 'trigger-task-missing',
      severity: 'warning',
      message: `there is no task ${JSON.stringify(task)} to run after`,
      field: `trigger.afterTriggers[${index}].task`,
    });
  }
  return [...warnings, ...(await circleWarnings(definition, taskOf))];
}

/** Its forge has it, or has used it with success. */
function works({ remoteId, lastDelivery }: HookRecord): boolean {
  return remoteId !== undefined || (lastDelivery !== undefined && !lastDelivery.result.startsWith('refused'));
}

function repositoryOf({ source }: HookRecord): readonly string[] {
  return source.kind === 'git' ? [keyOf(source.repositoryUrl)] : [];
}

function keyOf(repositoryUrl: string): string {
  return canonicalRepositoryUrl(repositoryUrl) ?? repositoryUrl;
}

function isKnown({ status, sourceRepository }: SourceTrigger, before: SourceTrigger | undefined): boolean {
  return before?.status === status && before.sourceRepository.repositoryUrl === sourceRepository.repositoryUrl;
}

/** Without a token no webhook can be made through the forge's API, and no status be told to it. */
function pollingWarning({ name, status, sourceRepository, pollInterval }: SourceTrigger, hasToken: boolean): Diagnostic[] {
  const { sourceControlType, sourceControlAuthProperties: auth } = sourceRepository;
  if (status === 'Disabled' || sourceControlType === 'Generic' || auth !== undefined || hasToken) return [];
  const how = pollInterval === 0 ? 'waits for a webhook that you set up' : 'only polls';
  return [
    {
      code: 'trigger-polls',
      severity: 'warning',
      message: `the trigger ${name} has no token of its forge and ${how}`,
      help: '`task trigger webhook NAME` has pushes told at once. A token (`--git-access-token`) also lets commits have a status.',
    },
  ];
}
