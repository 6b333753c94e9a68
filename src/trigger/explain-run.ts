import type { Store } from '../model/ports/store.ts';
import type { RunApproval } from '../model/run-hold.ts';
import { type Cause, type RunRecord, triggerWord } from '../model/run-record.ts';
import type { Happening, TriggerDecision, TriggerEvent } from '../model/trigger-event.ts';
import { shortDigest } from '../util/short-digest.ts';
import { statusProblemOfRun } from './status/status-problem.ts';

/** Why a run is there. Plain JSON. */
export interface RunExplanation {
  readonly run: string;
  readonly task?: string;
  readonly status: string;
  /** ACR's word: `Commit`, `Image Update`, `Timer`, … */
  readonly trigger: string;
  readonly createTime: string;
  /** Nearest cause first. */
  readonly chain: readonly CauseLink[];
  /** Those that made it, were added to it, or were left out because of it; newest first. */
  readonly decisions: readonly TriggerDecision[];
  /** Why it may not start yet. */
  readonly held?: string;
  /** Who let it go on, when, and at which head of the pull request. */
  readonly approval?: RunApproval;
  /** Why its forge does not know how it stands. */
  readonly problem?: string;
}

export interface CauseLink {
  readonly kind: Cause['kind'];
  /** One sentence, with what was compared. */
  readonly summary: string;
  readonly trigger?: string;
  readonly event?: string;
  /** When the event was received; absent when it is no longer kept. */
  readonly at?: string;
  readonly origin?: TriggerEvent['origin'];
  /** The run that this one follows from, and its task. */
  readonly run?: string;
  readonly task?: string;
}

const MOST_DECISIONS = 50;
const SHORT_COMMIT = 12;

export async function explainRun(store: Pick<Store, 'events' | 'statuses'>, record: RunRecord, now: Date): Promise<RunExplanation> {
  const problem = await statusProblemOfRun(store, record.id, now);
  const { id, status, createTime, request, hold, approval } = record;
  const decisions = await store.events.decisions({ run: id, limit: MOST_DECISIONS });
  const changes = await imageChanges(store, decisions);
  const chain = await Promise.all(request.causes.map((cause) => linkOf(store, cause, changes)));
  return {
    run: id,
    ...(request.task === undefined ? {} : { task: request.task }),
    ...{ status, trigger: triggerWord(request.causes), createTime, chain },
    decisions,
    ...(hold === undefined ? {} : { held: heldBecause(id, hold) }),
    ...(approval === undefined ? {} : { approval }),
    ...(problem === undefined ? {} : { problem }),
  };
}

function heldBecause(id: string, { because, until, runs = [], approval }: NonNullable<RunRecord['hold']>): string {
  const facts = [
    ...(until === undefined ? [] : [`until ${until}`]),
    ...(runs.every((run) => because.includes(run)) ? [] : [`for ${runs.length === 1 ? 'run' : 'runs'} ${runs.join(', ')}`]),
    ...(approval === undefined ? [] : [`\`task approve ${id}\` lets commit ${approval.commit} run`]),
  ];
  return facts.length === 0 ? because : `${because} (${facts.join('; ')})`;
}

type ImageChanged = Extract<Happening, { readonly kind: 'image-changed' }>;

/** Of a run that several updates were added to: each has an event of its own, and the run names the newest only. */
async function imageChanges({ events }: Pick<Store, 'events'>, decisions: readonly TriggerDecision[]): Promise<readonly ImageChanged[]> {
  const found = await Promise.all([...new Set(decisions.map(({ event }) => event))].map((event) => events.get(event)));
  return found.flatMap((event) => (event?.happening.kind === 'image-changed' ? [event.happening] : []));
}

async function linkOf({ events }: Pick<Store, 'events'>, cause: Cause, changes: readonly ImageChanged[]): Promise<CauseLink> {
  const eventId = 'eventId' in cause ? cause.eventId : undefined;
  const event = eventId === undefined ? undefined : await events.get(eventId);
  return {
    kind: cause.kind,
    summary: summaryOf(cause, event, changes),
    ...('trigger' in cause ? { trigger: cause.trigger } : {}),
    ...(eventId === undefined ? {} : { event: eventId }),
    ...(event === undefined ? {} : { at: event.receivedAt, origin: event.origin }),
    ...('run' in cause && cause.run !== undefined ? { run: cause.run } : {}),
    ...('task' in cause && cause.task !== undefined ? { task: cause.task } : {}),
  };
}

function summaryOf(cause: Cause, event: TriggerEvent | undefined, changes: readonly ImageChanged[]): string {
  switch (cause.kind) {
    case 'manual':
      return `${cause.principal} asked for it`;
    case 'rerun':
      return `${cause.principal} asked for run ${cause.run} again`;
    case 'timer':
      return `timer ${cause.trigger} was due at ${cause.occurrence}${cause.late === true ? ', and fired late' : ''}`;
    case 'after':
      return `run ${cause.run} of task ${cause.task} succeeded`;
    case 'source':
      return sourceSummary(cause, event);
    case 'image-update':
      return imageSummary(cause, event?.happening.kind === 'image-changed' ? [event.happening, ...changes] : changes);
    default:
      return cause satisfies never;
  }
}

function sourceSummary(cause: Extract<Cause, { readonly kind: 'source' }>, event: TriggerEvent | undefined): string {
  const commit = cause.commit.slice(0, SHORT_COMMIT);
  const happening = event?.happening;
  const before = happening?.kind === 'push' || happening?.kind === 'tag' ? happening.before : undefined;
  const moved = before === undefined ? '' : /^0+$/.test(before) ? ', which is new' : ` (before: ${before.slice(0, SHORT_COMMIT)})`;
  const where = `of ${cause.repositoryUrl}`;
  if (cause.event === 'pullrequest') {
    const told = happening?.kind === 'pull-request' ? happening : undefined;
    const into = told === undefined ? '' : `${told.fork ? ' from a fork' : ''} into ${told.baseBranch}`;
    return `pull request ${cause.pullRequest ?? ''}${into} ${where} is at commit ${commit}`;
  }
  if (cause.event === 'tag') return `tag ${cause.tag ?? ''} ${where} is at commit ${commit}${moved}`;
  return `branch ${cause.branch ?? ''} ${where} is at commit ${commit}${moved}`;
}

function imageSummary(cause: Extract<Cause, { readonly kind: 'image-update' }>, changes: readonly ImageChanged[]): string {
  const images = cause.images.map(({ registry, repository, tag, digest, before: used }) => {
    const name = `${registry}/${repository}:${tag}`;
    const change = changes.find((one) => one.indexDigest === digest && sameImage(one.image, { registry, repository }));
    // Of several updates in a row the run takes in all: what counts is what the last build used.
    const before = used ?? change?.previous ?? '';
    return `${name} has a new digest: ${before === '' ? '' : `${shortDigest(before)} → `}${shortDigest(digest)}`;
  });
  const pusher = cause.run === undefined ? '' : `, pushed by run ${cause.run}${cause.task === undefined ? '' : ` of task ${cause.task}`}`;
  return `${images.join('; ')}${pusher}`;
}

function sameImage(one: { readonly registry: string; readonly repository: string }, other: typeof one): boolean {
  return one.registry === other.registry && one.repository === other.repository;
}
