import type { Store } from '../../model/ports/store.ts';
import type { NewTriggerEvent, SourceRepositoryId, TriggerEvent } from '../../model/trigger-event.ts';
import { skipped } from '../fired.ts';
import { type Candidate, type Decision, loadCandidates, ofCandidate } from './candidates.ts';
import type { Listing } from './listings.ts';
import { listed, namedBranch } from './ref-filter.ts';
import { branchOf, short, shown } from './ref-names.ts';
import type { TaskIndex } from './task-index.ts';

/** The one event of a first look, however many refs it found: it says why nothing runs. */
export function firstLookEvent(key: string, { access, head, askedMs }: Listing): NewTriggerEvent {
  const defaultBranch = head === undefined ? undefined : branchOf(head);
  const repository: SourceRepositoryId = {
    ...{ forge: access.forge, url: access.url },
    ...(defaultBranch === undefined ? {} : { defaultBranch }),
  };
  return { dedupKey: `poll:${key}:first:${askedMs}`, origin: 'poll', happening: { kind: 'repository', repository } };
}

type RepositoryEvent = Pick<TriggerEvent, 'dedupKey' | 'origin'> & { readonly happening: { readonly repository: SourceRepositoryId } };

/** One decision for each trigger and what it follows: branches, tags, pull requests. */
export async function decideFirstLook(
  event: RepositoryEvent,
  { store, index }: { readonly store: Pick<Store, 'tasks' | 'gitWatch'>; readonly index: TaskIndex },
): Promise<readonly Decision[]> {
  const { repository, groups } = await loadCandidates(event, { store, index });
  const { defaultBranch } = event.happening.repository;
  const decisions: Decision[] = [];
  for (const [key, group] of groups) {
    const refs = await store.gitWatch.refs(key);
    for (const candidate of group) {
      if (candidate.record.definition.status === 'Disabled' || candidate.trigger.status === 'Disabled') continue;
      for (const what of followedBy(candidate, defaultBranch, refs)) {
        const because = `the first look at ${shown(repository)}: ${what}; what changes from now on counts`;
        decisions.push(skipped(ofCandidate(candidate), 'first-sight', because));
      }
    }
  }
  return decisions.length > 0 ? decisions : [skipped({}, 'no-trigger', `no task follows ${shown(repository)}`)];
}

function followedBy(candidate: Candidate, defaultBranch: string | undefined, refs: ReadonlyMap<string, string>): readonly string[] {
  const { sourceTriggerEvents: events, branches, tags } = candidate.trigger;
  const only = branches.length > 0 ? undefined : (namedBranch(candidate) ?? defaultBranch);
  const at = only === undefined ? undefined : refs.get(`refs/heads/${only}`);
  const where =
    only === undefined ? 'there is no default branch' : `branch ${shown(only)} is ${at === undefined ? 'not there' : `at ${short(at)}`}`;
  return [
    ...(events.includes('commit') ? [branches.length > 0 ? `branches that match ${listed(branches)} are followed` : where] : []),
    ...(events.includes('tag') && tags.length > 0 ? [`tags that match ${listed(tags)} are followed`] : []),
    ...(events.includes('pullrequest') ? ['pull requests are followed'] : []),
  ];
}
