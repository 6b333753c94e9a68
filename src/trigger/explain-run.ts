import type { Store } from '../model/ports/store.ts';
import { type Cause, type RunRecord, triggerWord } from '../model/run-record.ts';
import type { TriggerDecision, TriggerEvent } from '../model/trigger-event.ts';

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

export async function explainRun(store: Pick<Store, 'events'>, record: RunRecord): Promise<RunExplanation> {
  const { id, status, createTime, request, hold } = record;
  const chain = await Promise.all(request.causes.map((cause) => linkOf(store, cause)));
  return {
    run: id,
    ...(request.task === undefined ? {} : { task: request.task }),
    ...{ status, trigger: triggerWord(request.causes), createTime, chain },
    decisions: await store.events.decisions({ run: id, limit: MOST_DECISIONS }),
    ...(hold === undefined ? {} : { held: heldBecause(hold) }),
  };
}

function heldBecause({ because, until, runs = [], approval }: NonNullable<RunRecord['hold']>): string {
  const facts = [
    ...(until === undefined ? [] : [`until ${until}`]),
    ...(runs.length === 0 ? [] : [`for ${runs.length === 1 ? 'run' : 'runs'} ${runs.join(', ')}`]),
    ...(approval === undefined ? [] : [`for \`task approve\` of commit ${approval.commit}`]),
  ];
  return facts.length === 0 ? because : `${because} (${facts.join('; ')})`;
}

async function linkOf({ events }: Pick<Store, 'events'>, cause: Cause): Promise<CauseLink> {
  const eventId = 'eventId' in cause ? cause.eventId : undefined;
  const event = eventId === undefined ? undefined : await events.get(eventId);
  return {
    kind: cause.kind,
    summary: summaryOf(cause, event),
    ...('trigger' in cause ? { trigger: cause.trigger } : {}),
    ...(eventId === undefined ? {} : { event: eventId }),
    ...(event === undefined ? {} : { at: event.receivedAt, origin: event.origin }),
    ...('run' in cause && cause.run !== undefined ? { run: cause.run } : {}),
    ...('task' in cause && cause.task !== undefined ? { task: cause.task } : {}),
  };
}

function summaryOf(cause: Cause, event: TriggerEvent | undefined): string {
  switch (cause.kind) {
    case 'manual':
      return `${cause.principal} asked for it`;
    case 'rerun':
      return `${cause.principal} asked for run ${cause.run} again`;
    case 'timer':
      return `timer ${cause.trigger} was due at ${cause.occurrence}${cause.late === true ? ', and fired late' : ''}`;
    case 'after':
      return `run ${cause.run} of task ${cause.task} had succeeded`;
    case 'source':
      return sourceSummary(cause, event);
    case 'image-update':
      return imageSummary(cause, event);
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
    const into = cause.branch === undefined ? '' : ` into ${cause.branch}`;
    return `pull request ${cause.pullRequest ?? ''}${into} ${where} is at commit ${commit}`;
  }
  if (cause.event === 'tag') return `tag ${cause.tag ?? ''} ${where} is at commit ${commit}${moved}`;
  return `branch ${cause.branch ?? ''} ${where} is at commit ${commit}${moved}`;
}

function imageSummary(cause: Extract<Cause, { readonly kind: 'image-update' }>, event: TriggerEvent | undefined): string {
  const happening = event?.happening;
  const images = cause.images.map(({ registry, repository, tag, digest }) => {
    const name = `${registry}/${repository}:${tag}`;
    const compared = happening?.kind === 'image-changed' && sameImage(happening.image, { registry, repository });
    const before = compared && happening.previous !== '' ? `${happening.previous} → ` : '';
    return `${name} has a new digest: ${before}${digest}`;
  });
  const pusher = cause.run === undefined ? '' : `, pushed by run ${cause.run}${cause.task === undefined ? '' : ` of task ${cause.task}`}`;
  return `${images.join('; ')}${pusher}`;
}

function sameImage(one: { readonly registry: string; readonly repository: string }, other: typeof one): boolean {
  return one.registry === other.registry && one.repository === other.repository;
}
