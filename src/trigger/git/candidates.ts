import type { Store } from '../../model/ports/store.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import { type SourceEvent, type SourceTrigger, triggersOf } from '../../model/trigger-definition.ts';
import type { SourceRepositoryId, TriggerDecision, TriggerEvent } from '../../model/trigger-event.ts';
import { canonicalRepositoryUrl } from '../../util/repository-url.ts';
import { skipped } from '../fired.ts';
import { watchKey } from './followed.ts';
import type { TaskIndex } from './task-index.ts';

export type Decision = Omit<TriggerDecision, 'event' | 'at'>;

/** A source trigger that an event may be for. */
export interface Candidate {
  readonly record: TaskRecord;
  readonly trigger: SourceTrigger;
  /** Canonical URL. */
  readonly repository: string;
  readonly key: string;
}

export interface Candidates {
  readonly repository: string;
  /** By the credential that the repository is seen with. */
  readonly groups: ReadonlyMap<string, readonly Candidate[]>;
}

type SourceEventRow = Pick<TriggerEvent, 'dedupKey' | 'origin'> & { readonly happening: { readonly repository: SourceRepositoryId } };

/** Every trigger on the repository of an event; of one that a look found, those on whose behalf it looked. */
export async function loadCandidates(
  event: SourceEventRow,
  { store, index }: { readonly store: Pick<Store, 'tasks'>; readonly index: TaskIndex },
): Promise<Candidates> {
  const { url } = event.happening.repository;
  const repository = canonicalRepositoryUrl(url) ?? url;
  const lookedWith = event.origin === 'poll' ? /^poll:([0-9a-f]{64}):/.exec(event.dedupKey)?.[1] : undefined;
  const groups = new Map<string, Candidate[]>();
  for (const name of index.tasksOf(repository)) {
    const record = await store.tasks.get(name);
    for (const trigger of record === undefined ? [] : triggersOf(record.definition).sourceTriggers) {
      if (record === undefined || canonicalRepositoryUrl(trigger.sourceRepository.repositoryUrl) !== repository) continue;
      const key = watchKey(record, trigger, repository);
      if (lookedWith !== undefined && lookedWith !== key) continue;
      groups.set(key, [...(groups.get(key) ?? []), { record, trigger, repository, key }]);
    }
  }
  return { repository, groups };
}

export function ofCandidate({ record, trigger }: Candidate): { readonly task: string; readonly trigger: string } {
  return { task: record.definition.name, trigger: trigger.name };
}

/** The decision about a trigger that is off, or does not follow such events. */
export function offDecision(candidate: Candidate, event: SourceEvent): Decision | undefined {
  const of = ofCandidate(candidate);
  const { record, trigger } = candidate;
  if (record.definition.status === 'Disabled') return skipped(of, 'task-disabled', `task ${of.task} is disabled`);
  if (trigger.status === 'Disabled') return skipped(of, 'trigger-disabled', `trigger ${of.trigger} is disabled`);
  if (trigger.sourceTriggerEvents.includes(event)) return undefined;
  return skipped(of, 'event-off', `trigger ${of.trigger} follows ${trigger.sourceTriggerEvents.join(' and ')}, not ${event}`);
}

/** Decides on each; one that fails does not keep the others from it. Rejects with what may pass first, when any failed. */
export async function decideEach<One>(
  all: Iterable<One>,
  decide: (one: One) => Promise<readonly Decision[]>,
): Promise<readonly Decision[]> {
  const decisions: Decision[] = [];
  const errors: unknown[] = [];
  for (const one of all) {
    try {
      decisions.push(...(await decide(one)));
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0)
    throw errors.find((error) => error instanceof Error && 'transient' in error && error.transient === true) ?? errors[0];
  return decisions;
}
