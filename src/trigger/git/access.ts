import type { SourceControlType } from '../../model/trigger-definition.ts';
import { triggersOf } from '../../model/trigger-definition.ts';
import type { TriggerParts } from '../parts.ts';
import type { TaskIndex } from './task-index.ts';

/** How a watched repository is spoken to. */
export interface RepositoryAccess {
  readonly url: string;
  readonly token?: string;
  readonly forge: SourceControlType;
}

/** By the first of its tasks that is still there; undefined when none is. */
export async function openAccess(
  key: string,
  index: TaskIndex,
  parts: Pick<TriggerParts, 'store' | 'secrets'>,
): Promise<RepositoryAccess | undefined> {
  for (const { task, trigger: name } of index.enabledOf(key)) {
    const record = await parts.store.tasks.get(task);
    const trigger = record === undefined ? undefined : triggersOf(record.definition).sourceTriggers.find((one) => one.name === name);
    if (record === undefined || trigger === undefined) continue;
    const token = await parts.secrets.sourceToken(record, trigger);
    const { repositoryUrl: url, sourceControlType: forge } = trigger.sourceRepository;
    return { url, forge, ...(token === undefined ? {} : { token }) };
  }
  return undefined;
}
