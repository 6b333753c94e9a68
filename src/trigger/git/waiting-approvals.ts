import type { RunRecord } from '../../model/run-record.ts';
import { canonicalRepositoryUrl } from '../../util/repository-url.ts';
import type { TriggerParts } from '../parts.ts';
import { type Candidate, ofCandidate } from './candidates.ts';
import { short } from './ref-names.ts';

type Parts = Pick<TriggerParts, 'store' | 'runs'>;

/** Ends the runs of a pull request's earlier heads that nobody has approved: nobody shall approve what is not looked at any more. */
export async function supersedeWaiting(parts: Parts, candidate: Candidate, number: string, commit: string): Promise<void> {
  for (const run of await waitingRuns(parts, candidate, number)) {
    if (run.hold?.approval?.commit === commit) continue;
    await parts.runs.cancel(run.id, `pull request ${number} has a newer head, ${short(commit)}`);
  }
}

/** Ends the runs of a closed pull request that nobody has approved. */
export async function cancelWaiting(parts: Parts, candidate: Candidate, number: string): Promise<readonly string[]> {
  const waiting = await waitingRuns(parts, candidate, number);
  for (const { id } of waiting) await parts.runs.cancel(id, `pull request ${number} was closed`);
  return waiting.map(({ id }) => id);
}

async function waitingRuns({ store }: Parts, candidate: Candidate, number: string): Promise<readonly RunRecord[]> {
  const { task, trigger } = ofCandidate(candidate);
  const held = await store.runs.held();
  return held.filter(({ request, hold }) => {
    // Behind those of reruns.
    const cause = request.causes.find(({ kind }) => kind === 'source');
    if (hold?.approval === undefined || request.task !== task || cause?.kind !== 'source') return false;
    return (
      cause.trigger === trigger && cause.pullRequest === number && canonicalRepositoryUrl(cause.repositoryUrl) === candidate.repository
    );
  });
}
