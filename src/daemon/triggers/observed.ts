import type { Clock } from '../../model/ports/clock.ts';
import type { EventStore } from '../../model/ports/event-store.ts';
import type { GitSource } from '../../model/ports/git-source.ts';
import type { Registry } from '../../model/ports/registry.ts';
import type { TriggerEvent } from '../../model/trigger-event.ts';
import type { Metrics } from '../metrics.ts';

type Counts = Pick<Metrics, 'decided' | 'looked'>;

/** The events, with the time until something was decided on each. */
export function observedEvents(events: EventStore, clock: Pick<Clock, 'now'>, metrics: Pick<Counts, 'decided'>): EventStore {
  const open = new Map<string, TriggerEvent>();
  return {
    ...events,
    pending: async (limit, after) => {
      const pending = await events.pending(limit, after);
      for (const event of pending) open.set(event.id, event);
      return pending;
    },
    settle: async (settlements) => {
      await events.settle(settlements);
      for (const { id } of settlements) {
        const event = open.get(id);
        open.delete(id);
        const ms = event === undefined ? 0 : clock.now().getTime() - Date.parse(event.receivedAt);
        if (event !== undefined) metrics.decided(event.happening.kind, Math.max(0, ms) / 1000);
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
