import { createHash } from 'node:crypto';
import type { SecretRef, TaskRecord } from '../../model/task-definition.ts';
import { type SourceTrigger, triggersOf } from '../../model/trigger-definition.ts';
import { canonicalRepositoryUrl } from '../../util/repository-url.ts';
import { wantsChanges } from './change-filter.ts';

/** What is kept in memory of a source trigger: where it looks, and with whose eyes. */
export interface FollowedTrigger {
  readonly task: string;
  readonly trigger: string;
  /** Canonical URL. */
  readonly repository: string;
  /** Of `gitWatch`: one for all that see the repository with the same credential. */
  readonly key: string;
  readonly url: string;
  /** The task and the trigger are. */
  readonly enabled: boolean;
  readonly events: SourceTrigger['sourceTriggerEvents'];
  readonly pollInterval?: number;
  /** It has filters by path or message. */
  readonly readsHistory: boolean;
}

export function followedTriggers(record: TaskRecord): readonly FollowedTrigger[] {
  const { name, status } = record.definition;
  return triggersOf(record.definition).sourceTriggers.flatMap((trigger) => {
    const url = trigger.sourceRepository.repositoryUrl;
    const repository = canonicalRepositoryUrl(url);
    if (repository === undefined) return [];
    return [
      {
        task: name,
        trigger: trigger.name,
        repository,
        key: watchKey(record, trigger, repository),
        url,
        enabled: status === 'Enabled' && trigger.status === 'Enabled',
        events: trigger.sourceTriggerEvents,
        readsHistory: wantsChanges(trigger),
        ...(trigger.pollInterval === undefined ? {} : { pollInterval: trigger.pollInterval }),
      },
    ];
  });
}

/** Of a repository and a credential, by where the credential is and not by what it is: a new token sees what the old one saw. */
export function watchKey(record: TaskRecord, trigger: SourceTrigger, repository: string): string {
  return createHash('sha256')
    .update(JSON.stringify([repository, credentialIdentity(record, trigger)]))
    .digest('hex');
}

function credentialIdentity({ id, definition }: TaskRecord, { name, sourceRepository }: SourceTrigger): readonly string[] {
  const { repositoryUrl, sourceControlAuthProperties: own } = sourceRepository;
  // What speaks ssh has the keys of the daemon's agent.
  if (!/^(?:https?|git|file):\/\//i.test(repositoryUrl) && !/^github\.com\//i.test(repositoryUrl)) return ['ssh'];
  const place = (ref: SecretRef, field: string): readonly string[] => ('secret' in ref ? ['secret', ref.secret] : ['task', id, field]);
  if (own !== undefined) return place(own.token, name);
  const { contextAccessToken } = definition.step;
  return contextAccessToken === undefined ? [] : place(contextAccessToken, '');
}
