import type { Clock } from '../model/ports/clock.ts';
import type { DeliveryReader, ReadDelivery } from '../model/ports/delivery-reader.ts';
import type { EventStore } from '../model/ports/event-store.ts';
import type { HookRecord, HookStore } from '../model/ports/hook-store.ts';
import type { Happening, NewTriggerEvent } from '../model/trigger-event.ts';
import { canonicalRepositoryUrl } from '../util/repository-url.ts';
import { createCrowd, MOST_AT_ONCE } from './delivery-crowd.ts';
import { createDeliveryRate, type DeliveryRate } from './delivery-rate.ts';
import type { HookRegistry } from './hook-registry.ts';
import { createHookUse } from './hook-use.ts';

export interface HookIntakeParts {
  readonly hooks: HookStore;
  readonly registry: Pick<HookRegistry, 'secretsOf' | 'change'>;
  readonly events: Pick<EventStore, 'record'>;
  readonly reader: DeliveryReader;
  readonly clock: Clock;
  /** Events were recorded. */
  notify(): void;
  onProblem(what: string, error: unknown): void;
}

export interface HookDelivery {
  /** By lower-case name; of repeated ones the first. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whole, and bounded while it was read. */
  readonly body: Uint8Array;
  readonly pathSecret?: string;
}

/** What is answered; the body is JSON. */
export interface HookAnswer {
  readonly status: 200 | 202 | 400 | 401 | 404 | 413 | 415 | 503;
  readonly body: {
    /** Ids, in the order of the payload. */
    readonly events?: readonly string[];
    /** It was delivered before: these are the earlier events. */
    readonly duplicate?: boolean;
    readonly ignored?: string;
    readonly ping?: true;
    readonly error?: string;
  };
  /** Seconds. */
  readonly retryAfter?: number;
}

/** Takes deliveries of webhooks: verifies, stores, answers. What is done about them is decided later. */
export interface HookIntake {
  /** Never rejects. */
  receive(id: string, delivery: HookDelivery): Promise<HookAnswer>;
  /** A crowd of proven deliveries is here, more than a daemon has that keeps up with them; or as many wait for their answer at this moment. */
  isBusy(): boolean;
  /** What came last of a hook, which the store may learn a little later. */
  lastDelivery(hook: HookRecord): HookRecord['lastDelivery'];
  /** Writes when hooks were last used. */
  close(): Promise<void>;
}

const MOST_DELIVERY_BYTES = 25 * 1024 * 1024;
/** Refs and images of one delivery. */
const MOST_HAPPENINGS = 10_000;
const RETRY_AFTER_S = 10;
const ID = /^[A-Za-z0-9_-]{22}$/;

export function createHookIntake(parts: HookIntakeParts): HookIntake {
  const { clock } = parts;
  const rate = createDeliveryRate(clock);
  const use = createHookUse(parts.hooks, clock, parts.onProblem);
  const crowd = createCrowd(clock);
  // The first of a crowd are not stored yet. Without proof they put nothing off for longer than it takes to refuse them.
  let atOnce = 0;
  return {
    async receive(id, delivery) {
      const at = clock.now();
      const cameMs = clock.monotonicMs();
      atOnce += 1;
      try {
        const hook = ID.test(id) ? await parts.hooks.get(id) : undefined;
        if (hook === undefined) return { status: 404, body: { error: 'there is no such webhook' } };
        const answer = await answerOf({ ...parts, rate }, hook, delivery, at);
        if (answer.status === 202) crowd.stored(cameMs);
        use[answer.status === 401 ? 'unproven' : 'delivered'](id, at, resultOf(answer));
        return answer;
      } catch (error) {
        parts.onProblem(`a delivery of webhook ${id.slice(0, 22)} could not be kept`, error);
        return { status: 503, body: { error: 'the delivery cannot be kept now; send it again later' }, retryAfter: RETRY_AFTER_S };
      } finally {
        atOnce -= 1;
      }
    },
    isBusy: () => atOnce >= MOST_AT_ONCE || crowd.isThere(),
    lastDelivery: ({ id, lastDelivery: stored }) => {
      const later = use.unwritten(id);
      return later !== undefined && (stored === undefined || later.at >= stored.at) ? later : stored;
    },
    close: () => use.close(),
  };
}

async function answerOf(
  parts: HookIntakeParts & { readonly rate: DeliveryRate },
  hook: HookRecord,
  delivery: HookDelivery,
  at: Date,
): Promise<HookAnswer> {
  if (delivery.body.byteLength > MOST_DELIVERY_BYTES) {
    return { status: 413, body: { error: `a delivery has at most ${MOST_DELIVERY_BYTES} bytes` } };
  }
  const read = await parts.reader.read({
    ...{ source: hook.source, secrets: parts.registry.secretsOf(hook), receivedAt: at.toISOString() },
    ...delivery,
  });
  if (read.kind === 'refused') return { status: read.status, body: { error: read.because } };
  // After the proof: who has none uses nothing up of what the genuine sender may send.
  const retryAfter = parts.rate.take(hook.id, read.kind === 'happenings' ? Math.min(read.happenings.length, MOST_HAPPENINGS) : 1);
  // No 4xx: a forge may take it as a word for ever (GitLab turns the webhook off).
  if (retryAfter !== undefined) return { status: 503, body: { error: 'too many deliveries in a short time' }, retryAfter };
  switch (read.kind) {
    case 'ping':
      return { status: 200, body: { ping: true } };
    case 'ignored':
      return { status: 200, body: { ignored: read.because } };
    case 'happenings':
      return keep(parts, hook, read);
    default:
      return read satisfies never;
  }
}

async function keep(
  parts: HookIntakeParts,
  hook: HookRecord,
  read: Extract<ReadDelivery, { readonly kind: 'happenings' }>,
): Promise<HookAnswer> {
  const { deliveryId, happenings, repositoryId } = read;
  if (happenings.length === 0) return { status: 200, body: { ignored: 'it tells of nothing that is followed' } };
  if (happenings.length > MOST_HAPPENINGS)
    return { status: 400, body: { error: `it tells of ${happenings.length} changes, and ${MOST_HAPPENINGS} are taken` } };
  const other = await otherRepository(parts, hook, happenings, repositoryId);
  if (other !== undefined) return { status: 200, body: { ignored: other } };
  const events = happenings.map((happening, index) => eventOf(hook, deliveryId, happening, index));
  const recorded = await parts.events.record(events);
  const ids = recorded.map(({ id }) => id);
  if (!recorded.some(({ fresh }) => fresh)) return { status: 200, body: { events: ids, duplicate: true } };
  parts.notify();
  return { status: 202, body: { events: ids } };
}

function eventOf({ id, source }: HookRecord, deliveryId: string, happening: Happening, index: number): NewTriggerEvent {
  return {
    dedupKey: `hook:${id}:${deliveryId}:${index}`,
    origin: source.kind === 'git' ? 'webhook' : 'notification',
    happening: takesHook(happening) ? ofHook(happening, { id, source }) : happening,
  };
}

/**
 * What is told is told of the hook's own repository, by the URL that its tasks follow: a payload that names another one, because it was renamed or
 * because whoever knows the secret of one hook would speak for the repositories of others, does not choose whose tasks are started.
 */
function ofHook(happening: HookedHappening, { id, source }: Pick<HookRecord, 'id' | 'source'>): HookedHappening {
  if (source.kind !== 'git' || !('repository' in happening)) return { ...happening, hook: id };
  return { ...happening, hook: id, repository: { ...happening.repository, url: source.repositoryUrl } };
}

type HookedHappening = Exclude<Happening, { readonly kind: 'image-changed' | 'timer' | 'run-ended' | 'manual' }>;

function takesHook(happening: Happening): happening is HookedHappening {
  return ['push', 'tag', 'pull-request', 'repository', 'image'].includes(happening.kind);
}

/**
 * Why a genuine delivery is not about the hook's repository. The first delivery that names the repository by its URL and an id decides which id
 * it has: names and hosts change, ids do not. A hook of a group or project tells of other repositories too, and may do so first.
 */
async function otherRepository(
  { registry }: HookIntakeParts,
  hook: HookRecord,
  happenings: readonly Happening[],
  repositoryId: string | undefined,
): Promise<string | undefined> {
  if (hook.source.kind !== 'git') return undefined;
  const { repositoryUrl, repositoryId: known } = hook.source;
  if (repositoryId === undefined || known === undefined) {
    const other = happenings.some((happening) => 'repository' in happening && !namesSame(happening.repository.url, repositoryUrl));
    if (other) return `other-repository: this webhook is for ${repositoryUrl}`;
  }
  if (repositoryId === undefined) return undefined;
  const pinned = known ?? (await pin(registry, hook.id, repositoryId));
  if (pinned === repositoryId) return undefined;
  return `other-repository: it is of repository ${repositoryId.slice(0, 100)}, and this webhook is for ${pinned ?? 'none'}`;
}

/** A forge may name itself by another host than the one that tasks reach it at. */
function namesSame(told: string, followed: string): boolean {
  const [one, other] = [canonicalRepositoryUrl(told), canonicalRepositoryUrl(followed)];
  return one !== undefined && (one === other || pathOf(one) === pathOf(other));
}

function pathOf(key: string | undefined): string | undefined {
  return key?.slice(key.indexOf('/')).toLowerCase();
}

async function pin(registry: Pick<HookRegistry, 'change'>, id: string, repositoryId: string): Promise<string | undefined> {
  const changed = await registry.change(id, (hook) => {
    if (hook.source.kind !== 'git' || hook.source.repositoryId !== undefined) return hook;
    return { ...hook, source: { ...hook.source, repositoryId } };
  });
  return changed?.source.kind === 'git' ? changed.source.repositoryId : undefined;
}

function resultOf({ status, body }: HookAnswer): string {
  if (body.error !== undefined) return `refused (${status}): ${body.error}`;
  if (body.ping === true) return 'ping';
  if (body.ignored !== undefined) return `ignored: ${body.ignored}`;
  return `${body.duplicate === true ? 'known' : 'taken'}: ${(body.events ?? []).slice(0, 5).join(', ')}`;
}
