import type { Clock } from '../../model/ports/clock.ts';
import type { EventStore } from '../../model/ports/event-store.ts';
import type { GitSource } from '../../model/ports/git-source.ts';
import type { Registry } from '../../model/ports/registry.ts';
import type { TriggerEvent } from '../../model/trigger-event.ts';
import type { Metrics } from '../metrics.ts';

type Counts = Pick<Metrics, 'decided' | 'looked'>;

/** More are read than taken: what is read again is known again. */
const MOST_OPEN = 50_000;

/** The events, with the time until something was decided on each. */
export function observedEvents(events: EventStore, clock: Pick<Clock, 'now'>, metrics: Pick<Counts, 'decided'>): EventStore {
  const open = new Map<string, { readonly kind: TriggerEvent['happening']['kind']; readonly receivedAt: string }>();
  const seen = async (reading: Promise<readonly TriggerEvent[]>): Promise<readonly TriggerEvent[]> => {
    const read = await reading;
    for (const { id, happening, receivedAt } of read) open.set(id, { kind: happening.kind, receivedAt });
    for (const id of open.keys()) {
      if (open.size <= MOST_OPEN) break;
      open.delete(id);
    }
    return read;
  };
  return {
    ...events,
    waiting: (query) => seen(events.waiting(query)),
    waitingInLane: (query) => seen(events.waitingInLane(query)),
    retriable: (query) => seen(events.retriable(query)),
    settle: async (settlements) => {
      await events.settle(settlements);
      for (const { id } of settlements) {
        const event = open.get(id);
        open.delete(id);
        const ms = event === undefined ? 0 : clock.now().getTime() - Date.parse(event.receivedAt);
        if (event !== undefined) metrics.decided(event.kind, Math.max(0, ms) / 1000);
      }
    },
    postpone: async (id, why) => {
      await events.postpone(id, why);
      if (why.retryAt === undefined) open.delete(id);
    },
  };
}

/** Git, with its looks counted. */
export function observedGit(git: GitSource, metrics: Pick<Counts, 'looked'>): GitSource {
  return {
    ...git,
    listRefs: (request) =>
      counted(
        git.listRefs(request),
        () => metrics.looked('git', true),
        () => metrics.looked('git', false),
      ),
  };
}

/** A registry, with its looks counted. */
export function observedRegistry(registry: Registry, metrics: Pick<Counts, 'looked'>): Registry {
  const told = (ok: boolean) => (): void => metrics.looked('image', ok);
  return {
    resolve: (...args) => registry.resolve(...args),
    look: (...args) => counted(registry.look(...args), told(true), told(false)),
    listTags: (...args) => counted(registry.listTags(...args), told(true), told(false)),
    copy: (...args) => registry.copy(...args),
    delete: (...args) => registry.delete(...args),
    referrers: (...args) => registry.referrers(...args),
    pullArtifact: (...args) => registry.pullArtifact(...args),
    probePush: (...args) => registry.probePush(...args),
  };
}

function counted<Value>(work: Promise<Value>, done: () => void, failed: () => void): Promise<Value> {
  work.then(done, failed);
  return work;
}
