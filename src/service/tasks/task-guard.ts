import { EngineError } from '../../model/engine-error.ts';
import type { Principal } from '../../model/security.ts';
import type { TaskConcurrency, TaskDefinition, TaskPolicy, TaskRecord } from '../../model/task-definition.ts';
import { NO_TRIGGERS, triggersOf } from '../../model/trigger-definition.ts';
import { holds } from '../security/authorisation.ts';
import { changedFields } from './definition-changes.ts';

const RIGHTS = ['privileged', 'hostMounts', 'dockerSocket'] as const satisfies readonly (keyof TaskPolicy)[];

export function hasSpecialRights(policy: TaskPolicy): boolean {
  return RIGHTS.some((right) => policy[right]);
}

/**
 * Special rights are root on the machine of an agent: only an admin gives them, and only an admin changes what a task that has them
 * runs. Anybody who may change the task may take them away. Throws EngineError `forbidden`.
 */
export function guardPolicy(principal: Principal, before: TaskDefinition | undefined, after: TaskDefinition): void {
  if (!hasSpecialRights(after.policy) || holds(principal, 'admin')) return;
  const given = RIGHTS.filter((right) => after.policy[right] && before?.policy[right] !== true);
  const what =
    given.length > 0
      ? `give a task special rights (\`policy.${given.join('`, `policy.')}\`)`
      : 'change what a task with special rights runs';
  if (given.length === 0 && changedFields(codeOf(before), codeOf(after)).length === 0) return;
  throw new EngineError('forbidden', `${principal.name} may not ${what}: it needs the role admin`, {
    help:
      given.length > 0
        ? 'Leave `policy` out, or ask an admin.'
        : 'Ask an admin, or take the rights away with the change (`--unset policy`).',
  });
}

/** The registry is where images without a host come from; other branches, and other tags of base images, are other code. */
function codeOf(definition: TaskDefinition | undefined): object {
  const { sourceTriggers, baseImageTrigger } = definition === undefined ? NO_TRIGGERS : triggersOf(definition);
  const sources = sourceTriggers.map(({ name, sourceTriggerEvents, sourceRepository, branches, tags }) => {
    return { name, sourceTriggerEvents, sourceRepository, branches, tags };
  });
  return { step: definition?.step, registry: definition?.registry, sources, tracks: baseImageTrigger?.tracks ?? [] };
}

/**
 * A run may end others of its concurrency group, whatever tasks they are of: whoever is for some tasks only keeps to groups of the task's
 * own name. Throws EngineError `forbidden`.
 */
export function guardConcurrency(principal: Principal, concurrency: Partial<TaskConcurrency> | undefined): void {
  const ends = concurrency?.onConflict === 'cancel-pending' || concurrency?.onConflict === 'cancel-running';
  if (!ends || concurrency.group?.startsWith('${task}') === true || holds(principal, 'run:cancel', { task: undefined })) return;
  throw new EngineError(
    'forbidden',
    `${principal.name} may not end runs of other tasks (\`concurrency.onConflict: ${concurrency.onConflict}\`)`,
    {
      help: 'Begin `concurrency.group` with `${task}`, or use a token with `run:cancel` for all tasks.',
    },
  );
}

/** `managedBy` is the file on whose behalf the change is made. Throws EngineError `managed-by-file`. */
export function guardOwner(
  { definition, managedBy }: TaskRecord,
  options: { readonly managedBy?: string; readonly force?: boolean; readonly takesFrom?: string },
): void {
  if (managedBy === undefined || managedBy === options.managedBy || options.force === true) return;
  if (options.takesFrom !== undefined && managedBy.startsWith(options.takesFrom)) return;
  throw new EngineError('managed-by-file', `the task ${JSON.stringify(definition.name)} is managed by ${managedBy}`);
}

/** Throws EngineError `version-conflict` when `version` is another. */
export function guardVersion(record: TaskRecord, version: number | undefined): void {
  if (version !== undefined && version !== record.version) throw versionConflict(record.definition.name, version, record.version);
}

export function versionConflict(name: string, expected: number | undefined, found: number | undefined): EngineError {
  const was =
    expected === undefined ? '' : ` (the change was made to version ${expected}${found === undefined ? '' : `, and it is at ${found}`})`;
  return new EngineError('version-conflict', `the task ${JSON.stringify(name)} was changed meanwhile${was}`);
}

export function noSuchTask(name: string): EngineError {
  return new EngineError('not-found', `there is no task ${JSON.stringify(name)}`);
}
