import { type Happening, isZeroId, type TriggerEvent } from '../../model/trigger-event.ts';
import { firedDecision, skipped } from '../fired.ts';
import type { Evaluation } from '../parts.ts';
import { openAccess } from './access.ts';
import { accountFor } from './account.ts';
import { runInBetween, type SourceCause } from './came-back.ts';
import { type Candidate, type Decision, decideEach, loadCandidates, ofCandidate, offDecision } from './candidates.ts';
import { type ChangeRange, type Changes, changeRefusal, readChangesOnce, wantsChanges } from './change-filter.ts';
import { contextAt, ownContext } from './context-place.ts';
import type { Deciding } from './deciding.ts';
import { unreachable, type Verdict, verifyRef } from './genuine.ts';
import { branchRefusal, tagRefusal } from './ref-filter.ts';
import { branchOf, isObjectId, short, shown, tagOf } from './ref-names.ts';

type RefHappening = Extract<Happening, { readonly kind: 'push' | 'tag' }>;
type RefEvent = Omit<TriggerEvent, 'happening'> & { readonly happening: RefHappening };

/** Decides on the push of a branch or a tag, for every trigger on its repository. */
export async function decideRef(event: RefEvent, around: Deciding, signal: AbortSignal): Promise<Evaluation> {
  const { repository, groups } = await loadCandidates(event, { store: around.parts.store, index: around.index });
  if (groups.size === 0) return { decisions: [skipped({}, 'no-trigger', `no task follows ${shown(repository)}`)] };
  const decisions = await decideEach(groups, ([key, group]) => decideGroup(event, { key, group }, around, signal));
  return { decisions };
}

interface Group {
  readonly key: string;
  readonly group: readonly Candidate[];
}

async function decideGroup(event: RefEvent, { key, group }: Group, around: Deciding, signal: AbortSignal): Promise<readonly Decision[]> {
  const { happening } = event;
  if (isZeroId(happening.after)) {
    await accountForDeletion(event, { key, group }, around);
    return group.map((candidate) => skipped(ofCandidate(candidate), 'ref-deleted', `${shown(happening.ref)} was deleted`));
  }
  const off = group.map((candidate) => offDecision(candidate, happening.kind === 'tag' ? 'tag' : 'commit'));
  const closed = off.filter((decision) => decision !== undefined);
  const open = group.filter((_, index) => off[index] === undefined);
  if (open.length === 0) return closed;
  const verdict = await verdictOf({ key, group: open }, event, around, signal).catch(unreachable);
  if (typeof verdict === 'string') {
    return [...closed, ...open.map((candidate) => skipped(ofCandidate(candidate), 'unreachable', verdict))];
  }
  if (verdict.kind === 'stale')
    return [...closed, ...(await decideEach(open, async (one) => [await staleDecision(event, one, verdict.because, around)]))];
  const push: Push = { ...verdict, event, key };
  const changes = readChangesOnce(() => rangeOf(push, around), around.parts, signal);
  const decided = await decideEach(open, async (candidate) => [await decideOne(candidate, push, { changes, around })]);
  if (event.origin !== 'poll' && verdict.listing !== undefined) {
    await accountFor(key, { ref: happening.ref, id: verdict.commit, listing: verdict.listing }, around.parts.store);
  }
  return [...closed, ...decided];
}

/** So that the next look does not tell of it again; it does when the repository does not answer now. */
async function accountForDeletion(event: RefEvent, { key, group }: Group, { listings, parts }: Deciding): Promise<void> {
  const { kind, ref } = event.happening;
  const isFollowed = group.some((candidate) => offDecision(candidate, kind === 'tag' ? 'tag' : 'commit') === undefined);
  if (event.origin !== 'webhook' || !isFollowed) return;
  const listing = await listings.since(key, Date.parse(event.receivedAt)).catch(() => undefined);
  if (listing !== undefined) await accountFor(key, { ref, id: null, listing }, parts.store);
}

/** A push that happened. */
type Push = Omit<Extract<Verdict, { readonly kind: 'genuine' }>, 'kind'> & { readonly event: RefEvent; readonly key: string };

async function verdictOf({ key, group }: Group, event: RefEvent, around: Deciding, signal: AbortSignal): Promise<Verdict> {
  if (event.origin !== 'poll') return verifyRef(key, event, { ...around.verifying, signal });
  const { after } = event.happening;
  if (!isObjectId(after)) return { kind: 'stale', because: 'the event names no commit' };
  const needed = group.some(({ trigger }) => trigger.latestOnly);
  const listing = needed ? await around.listings.since(key, Date.parse(event.receivedAt)) : undefined;
  return { kind: 'genuine', commit: after, ...(listing === undefined ? {} : { listing }) };
}

/** A run that this event, or another, has made already is told of, though the ref has moved on. */
async function staleDecision(event: RefEvent, candidate: Candidate, because: string, { parts }: Deciding): Promise<Decision> {
  const { ref, after } = event.happening;
  const of = ofCandidate(candidate);
  const key = firingKey(ref, after);
  const run = (await parts.store.runs.fired(candidate.record.id, of.trigger, [key])).get(key);
  if (run === undefined) return skipped(of, 'not-head', because);
  return firedDecision(parts.store.runs, of, event.id, { created: false, run }, because);
}

async function rangeOf(push: Push, { parts, index }: Deciding): Promise<ChangeRange | undefined> {
  const { event, commit, key } = push;
  const { ref, before } = event.happening;
  const access = push.listing?.access ?? (await openAccess(key, index, parts));
  if (access === undefined) return undefined;
  const { url, token } = access;
  const branch = branchOf(ref);
  const defaultBranch = defaultBranchOf(push);
  // A new branch is compared with the default branch. A tag tells nothing of what was before it.
  const isComparable = branch !== undefined && defaultBranch !== undefined && branch !== defaultBranch;
  return {
    ...{ url, after: commit, afterRef: ref, isMove: true },
    ...(token === undefined ? {} : { token }),
    ...(isZeroId(before) || !isObjectId(before) ? {} : { before }),
    ...(isComparable ? { against: `refs/heads/${defaultBranch}` } : {}),
  };
}

function defaultBranchOf({ listing, event }: Pick<Push, 'listing' | 'event'>): string | undefined {
  return listing?.head === undefined ? event.happening.repository.defaultBranch : branchOf(listing.head);
}

interface Rest {
  readonly changes: Changes;
  readonly around: Deciding;
}

async function decideOne(candidate: Candidate, push: Push, { changes, around }: Rest): Promise<Decision> {
  const { trigger } = candidate;
  const { event, commit, listing } = push;
  const { ref } = event.happening;
  const of = ofCandidate(candidate);
  const tag = tagOf(ref);
  const name = tag ?? branchOf(ref) ?? ref;
  const refusal = tag === undefined ? branchRefusal(name, candidate, defaultBranchOf(push)) : tagRefusal(tag, trigger);
  if (refusal !== undefined) return skipped(of, tag === undefined ? 'branch-filter' : 'tag-filter', refusal);
  const head = listing?.refs.get(ref);
  if (trigger.latestOnly && listing !== undefined && head !== commit) {
    return skipped(
      of,
      'superseded',
      `${shown(name)} has moved on from ${short(commit)} to ${head === undefined ? 'nothing' : short(head)} (latestOnly)`,
    );
  }
  if (wantsChanges(trigger)) {
    const refused = changeRefusal(trigger, await changes(), { skipCi: tag === undefined });
    if (refused !== undefined) return skipped(of, refused.code, refused.because);
  }
  return fire(candidate, push, around);
}

async function fire(candidate: Candidate, push: Push, around: Deciding): Promise<Decision> {
  const { event, commit } = push;
  const { parts } = around;
  const { record, trigger, repository } = candidate;
  const { ref } = event.happening;
  const of = ofCandidate(candidate);
  const tag = tagOf(ref);
  const branch = branchOf(ref);
  const cause: SourceCause = {
    ...{ kind: 'source', event: tag === undefined ? 'commit' : 'tag', trigger: of.trigger, commit, eventId: event.id },
    ...{ repositoryUrl: trigger.sourceRepository.repositoryUrl, provider: trigger.sourceRepository.sourceControlType },
    ...(branch === undefined ? {} : { branch }),
    ...(tag === undefined ? {} : { tag }),
  };
  const place = ownContext(record, repository);
  const result = await parts.runs.fire({
    ...{ task: record, causes: [cause], trust: 'trusted' },
    firing: { taskId: record.id, trigger: of.trigger, keys: await keysOf(candidate, cause, push, around), event: event.id },
    ...(place === undefined ? {} : { source: { contextPath: contextAt(place, commit), pinnedCommit: commit, pinnedRef: ref } }),
  });
  const what = tag === undefined ? `branch ${shown(branch ?? ref)}` : `tag ${shown(tag)}`;
  return firedDecision(parts.store.runs, of, event.id, result, `${what} was pushed to ${short(commit)}`);
}

/** A commit runs once for a ref; again when the ref is forced back to it, so that what was built last is what is there. */
async function keysOf(
  { record }: Candidate,
  cause: SourceCause,
  { event, listing, key: watched }: Push,
  { parts, listings }: Deciding,
): Promise<readonly string[]> {
  const { ref, before } = event.happening;
  const key = firingKey(ref, cause.commit);
  // Whoever repeats an event wants what it was then.
  if (event.origin === 'replay') return [key];
  const other = await runInBetween(parts.store, { task: record.definition.name, taskId: record.id, cause, key, before });
  if (other === undefined) return [key];
  const now = listing ?? (await listings.since(watched, Date.parse(event.receivedAt)));
  return now?.refs.get(ref) === cause.commit ? [key, `${key} after ${other.id}`] : [key];
}

function firingKey(ref: string, commit: string): string {
  return `${ref} ${commit}`;
}
