import type { FireOrder } from '../../model/ports/run-starter.ts';
import type { PullRequestHappening, TriggerEvent } from '../../model/trigger-event.ts';
import { firedDecision, skipped } from '../fired.ts';
import type { Evaluation } from '../parts.ts';
import { openAccess } from './access.ts';
import { accountFor } from './account.ts';
import { runInBetween, type SourceCause } from './came-back.ts';
import { type Candidate, type Decision, decideEach, loadCandidates, ofCandidate, offDecision } from './candidates.ts';
import { type ChangeRange, type Changes, changeRefusal, readChangesOnce, wantsChanges } from './change-filter.ts';
import { contextAt, inRepository, ownContext } from './context-place.ts';
import type { Deciding } from './deciding.ts';
import { unreachable, type Verdict, verifyPullRequest } from './genuine.ts';
import type { Listing } from './listings.ts';
import { branchRefusal } from './ref-filter.ts';
import { branchOf, isObjectId, pullRequestOf, short, shown } from './ref-names.ts';
import { cancelWaiting, supersedeWaiting } from './waiting-approvals.ts';

type PullRequestEvent = Omit<TriggerEvent, 'happening'> & { readonly happening: PullRequestHappening };

/** Decides on what happened to a pull request, for every trigger on the repository that it wants to go into. */
export async function decidePullRequest(event: PullRequestEvent, around: Deciding, signal: AbortSignal): Promise<Evaluation> {
  const { repository, groups } = await loadCandidates(event, { store: around.parts.store, index: around.index });
  if (groups.size === 0) return { decisions: [skipped({}, 'no-trigger', `no task follows ${shown(repository)}`)] };
  const decisions = await decideEach(groups, ([key, group]) => decideGroup(event, { key, group }, around, signal));
  return { decisions };
}

interface Group {
  readonly key: string;
  readonly group: readonly Candidate[];
}

async function decideGroup(
  event: PullRequestEvent,
  { key, group }: Group,
  around: Deciding,
  signal: AbortSignal,
): Promise<readonly Decision[]> {
  const { action } = event.happening;
  if (action === 'closed') return decideEach(group, async (candidate) => [await closedDecision(event, candidate, around)]);
  const off = group.map((candidate) => offDecision(candidate, 'pullrequest'));
  const closed = off.filter((decision) => decision !== undefined);
  const open = group.filter((_, index) => off[index] === undefined);
  const allOpen = (decide: (candidate: Candidate) => Promise<Decision>): Promise<readonly Decision[]> =>
    decideEach(open, async (candidate) => [await decide(candidate)]);
  if (open.length === 0) return closed;
  if (action === 'other') {
    const because = `nothing of pull request ${shown(event.happening.number)} that would have to run has changed`;
    return [...closed, ...open.map((candidate) => skipped(ofCandidate(candidate), 'action-ignored', because))];
  }
  const verdict = await verdictOf(key, event, around, signal).catch(unreachable);
  if (typeof verdict === 'string') return [...closed, ...open.map((one) => skipped(ofCandidate(one), 'unreachable', verdict))];
  if (verdict.kind === 'stale') return [...closed, ...(await allOpen((one) => staleDecision(event, one, verdict.because, around)))];
  const head = headOf(key, asBorneOut(event, verdict), verdict);
  const changes = readChangesOnce(() => rangeOf(key, head, around), around.parts, signal);
  const decided = await allOpen((candidate) => decideOne(candidate, head, { changes, around }));
  const { headRef = '' } = event.happening;
  const { listing, commit } = verdict;
  // A branch that is the head is told of by its own pushes.
  const isTold = pullRequestOf(headRef) !== undefined && listing?.refs.get(headRef) === commit;
  if (event.origin !== 'poll' && listing !== undefined && isTold) {
    await accountFor(key, { ref: headRef, id: commit, listing }, around.parts.store);
  }
  return [...closed, ...decided];
}

async function closedDecision(event: PullRequestEvent, candidate: Candidate, { parts }: Deciding): Promise<Decision> {
  const { number } = event.happening;
  const ended = await cancelWaiting(parts, candidate, number);
  const runs = ended.length === 0 ? '' : `; ${ended.join(', ')} waited for approval and ${ended.length === 1 ? 'is' : 'are'} canceled`;
  return skipped(ofCandidate(candidate), 'action-ignored', `pull request ${shown(number)} was closed${runs}`);
}

async function verdictOf(key: string, event: PullRequestEvent, around: Deciding, signal: AbortSignal): Promise<Verdict> {
  if (event.origin !== 'poll') return verifyPullRequest(key, event, { ...around.verifying, signal });
  const { headSha } = event.happening;
  if (!isObjectId(headSha)) return { kind: 'stale', because: 'the event names no commit' };
  return { kind: 'genuine', commit: headSha };
}

async function staleDecision(event: PullRequestEvent, candidate: Candidate, because: string, { parts }: Deciding): Promise<Decision> {
  const { number, headSha } = event.happening;
  const of = ofCandidate(candidate);
  const key = firingKey(number, headSha);
  const run = (await parts.store.runs.fired(candidate.record.id, of.trigger, [key])).get(key);
  if (run === undefined) return skipped(of, 'not-head', because);
  return firedDecision(parts.store.runs, of, event.id, { created: false, run }, because);
}

/**
 * A head counts as the repository's own only where one of its branches is at it: somebody pushed that who may. A payload alone makes no
 * stranger's code trusted.
 */
function asBorneOut(event: PullRequestEvent, { commit, listing }: Extract<Verdict, { readonly kind: 'genuine' }>): PullRequestEvent {
  const { happening } = event;
  // A look has compared it already.
  if (happening.fork || listing === undefined || listing.refs.get(`refs/heads/${happening.headBranch}`) === commit) return event;
  return { ...event, happening: { ...happening, fork: true } };
}

/** The head of a pull request as its repository has it. */
interface Head {
  /** Key of the repository that is watched. */
  readonly watched: string;
  readonly event: PullRequestEvent;
  readonly commit: string;
  readonly defaultBranch?: string;
  readonly baseSha?: string;
  /** A ref of the repository that leads to the head; absent when it is in another repository only. */
  readonly ref?: string;
  /** When the source was asked. */
  readonly listing?: Listing;
}

function headOf(watched: string, event: PullRequestEvent, { commit, listing }: Extract<Verdict, { readonly kind: 'genuine' }>): Head {
  const { headRef, headBranch, baseBranch, repository, fork } = event.happening;
  // A look names only refs that were there.
  const leadsToIt = (name: string | undefined): boolean =>
    name !== undefined && (listing === undefined || listing.refs.get(name) === commit);
  const ref = [headRef, fork ? undefined : `refs/heads/${headBranch}`].find(leadsToIt);
  const defaultBranch = listing?.head === undefined ? repository.defaultBranch : branchOf(listing.head);
  const baseSha = listing === undefined ? event.happening.baseSha : listing.refs.get(`refs/heads/${baseBranch}`);
  return {
    ...{ watched, event, commit },
    ...(defaultBranch === undefined ? {} : { defaultBranch }),
    ...(baseSha === undefined || !isObjectId(baseSha) ? {} : { baseSha }),
    ...(ref === undefined ? {} : { ref }),
    ...(listing === undefined ? {} : { listing }),
  };
}

/** What the pull request changes: since it left its base. */
async function rangeOf(key: string, head: Head, { parts, index }: Deciding): Promise<ChangeRange | undefined> {
  const { event, commit, ref, baseSha } = head;
  const { baseBranch, headUrl } = event.happening;
  if (ref === undefined && headUrl !== undefined)
    return { url: headUrl, after: commit, ...(baseSha === undefined ? {} : { before: baseSha }) };
  const access = head.listing?.access ?? (await openAccess(key, index, parts));
  if (access === undefined) return undefined;
  const { url, token } = access;
  return {
    ...{ url, after: commit, against: `refs/heads/${baseBranch}` },
    ...(token === undefined ? {} : { token }),
    ...(ref === undefined ? {} : { afterRef: ref }),
  };
}

interface Rest {
  readonly changes: Changes;
  readonly around: Deciding;
}

async function decideOne(candidate: Candidate, head: Head, { changes, around }: Rest): Promise<Decision> {
  const { trigger } = candidate;
  const { number, baseBranch, fork } = head.event.happening;
  const of = ofCandidate(candidate);
  const refusal = branchRefusal(baseBranch, candidate, head.defaultBranch);
  if (refusal !== undefined)
    return skipped(of, 'branch-filter', `pull request ${shown(number)} wants to go into another branch: ${refusal}`);
  if (fork && trigger.forks === 'ignore')
    return skipped(of, 'fork-ignored', `pull request ${shown(number)} comes from a fork (forks: ignore)`);
  if (wantsChanges(trigger)) {
    const refused = changeRefusal(trigger, await changes(), { skipCi: true });
    if (refused !== undefined) return skipped(of, refused.code, refused.because);
  }
  const source = sourceOf(candidate, head);
  if (source === 'no base')
    return skipped(of, 'not-head', `branch ${shown(baseBranch)}, which pull request ${shown(number)} wants to go into, is not there`);
  return fire(candidate, head, source, around);
}

/** Where the context comes from when it is this repository; of a fork the task file comes from the base. */
function sourceOf({ record, repository }: Candidate, { event, commit, ref, baseSha }: Head): FireOrder['source'] | 'no base' {
  const { fork, headUrl } = event.happening;
  const place = ownContext(record, repository);
  if (place === undefined) return undefined;
  const readsFile = fork && record.definition.step.type === 'FileTask';
  if (readsFile && baseSha === undefined) return 'no base';
  const from = ref === undefined && headUrl !== undefined ? inRepository(place, headUrl) : place;
  return {
    ...{ contextPath: contextAt(from, commit), pinnedCommit: commit, withToken: from === place },
    ...(ref === undefined ? {} : { pinnedRef: ref }),
    ...(readsFile && baseSha !== undefined ? { taskFileContext: contextAt(place, baseSha) } : {}),
  };
}

async function fire(candidate: Candidate, head: Head, source: FireOrder['source'], around: Deciding): Promise<Decision> {
  const { parts } = around;
  const { record, trigger } = candidate;
  const { event, commit } = head;
  const { number, fork, baseBranch } = event.happening;
  const of = ofCandidate(candidate);
  const waits = fork && trigger.forks === 'approve';
  const cause = causeOf(candidate, head);
  const result = await parts.runs.fire({
    ...{ task: record, causes: [cause], trust: fork ? 'untrusted' : 'trusted' },
    firing: { taskId: record.id, trigger: of.trigger, keys: await keysOf(candidate, cause, head, around), event: event.id },
    ...(source === undefined ? {} : { source }),
    ...(waits ? { hold: { because: `waits for approval of ${short(commit)}`, approval: { commit } } } : {}),
  });
  await supersedeWaiting(parts, candidate, number, commit);
  const from = fork ? 'a fork' : 'its own repository';
  const because = `pull request ${shown(number)} from ${from} into ${shown(baseBranch)} has the head ${short(commit)}`;
  return firedDecision(parts.store.runs, of, event.id, result, because);
}

function causeOf({ trigger }: Candidate, { event, commit }: Head): SourceCause {
  const { number, fork, headBranch } = event.happening;
  const { repositoryUrl, sourceControlType } = trigger.sourceRepository;
  return {
    ...{
      kind: 'source',
      event: 'pullrequest',
      trigger: trigger.name,
      repositoryUrl,
      provider: sourceControlType,
      commit,
      pullRequest: number,
    },
    // A fork may call its branch as it likes, `main` too: that is no branch of this repository.
    ...{ branch: fork ? `pull/${number}` : headBranch, eventId: event.id },
  };
}

/** A head runs once. It runs again when it wants to go elsewhere, is forced back to it, and when it is opened again after its run was canceled. */
async function keysOf({ record, trigger }: Candidate, cause: SourceCause, head: Head, around: Deciding): Promise<readonly string[]> {
  const { runs } = around.parts.store;
  const { event, commit } = head;
  const { number, action, baseBranch } = event.happening;
  const key = firingKey(number, commit);
  if (action === 'retargeted') return [key, `${key} into ${baseBranch}`];
  const task = { task: record.definition.name, taskId: record.id };
  // Whoever repeats an event wants what it was then.
  const other = event.origin === 'replay' ? undefined : await runInBetween(around.parts.store, { ...task, cause, key });
  if (other !== undefined && (await isStillThere(head, around))) return [key, `${key} after ${other.id}`];
  if (action !== 'reopened') return [key];
  const made = (await runs.fired(record.id, trigger.name, [key])).get(key);
  const run = made === undefined ? undefined : await runs.get(made);
  return run?.status === 'Canceled' ? [key, `${key} after ${run.id}`] : [key];
}

/** What was told by a webhook has been verified; what a look found may have moved on. */
async function isStillThere({ watched, event, commit, listing }: Head, { listings }: Deciding): Promise<boolean> {
  if (listing !== undefined) return true;
  const now = await listings.since(watched, Date.parse(event.receivedAt));
  return now?.refs.get(event.happening.headRef ?? '') === commit;
}

function firingKey(number: string, commit: string): string {
  return `pull/${number} ${commit}`;
}
