import type { NearKind } from '../event-lane.ts';
import type { NewTriggerEvent, TriggerDecision, TriggerEvent } from '../trigger-event.ts';

/** Trigger events and what was decided about them. Every method is one transaction, as in `Store`. */
export interface EventStore {
  /** In order. Events whose `dedupKey` is known are left out: `fresh` is false and `id` that of the first. */
  record(events: readonly NewTriggerEvent[]): Promise<readonly { readonly id: string; readonly fresh: boolean }[]>;
  get(id: string): Promise<TriggerEvent | undefined>;
  /** Newest first. */
  list(query: EventQuery): Promise<readonly TriggerEvent[]>;
  /** Pending events whose `retryAt` is over or absent, oldest first; those with a number above `after` when it is given. */
  pending(limit: number, after?: number): Promise<readonly TriggerEvent[]>;
  /** As `pending`: those of one kind that others wait for, or those of all other kinds (`far`). Costs nothing for what the others have. */
  waiting(query: { readonly kind: NearKind | 'far'; readonly after: number; readonly limit: number }): Promise<readonly TriggerEvent[]>;
  /** As `pending`, of one lane (`laneOf`). */
  waitingInLane(query: { readonly lane: string; readonly after: number; readonly limit: number }): Promise<readonly TriggerEvent[]>;
  /** Pending events that were postponed, and whose time has come, oldest first: those of kinds that others wait for, or of all others. */
  retriable(query: {
    readonly kind: 'near' | 'far';
    readonly exceptLanes: readonly string[];
    readonly after: number;
    readonly limit: number;
  }): Promise<readonly TriggerEvent[]>;
  /** Counts an attempt before it is begun, so that an event that ends the process is known by it. */
  begin(ids: readonly string[]): Promise<void>;
  /** Ends the event and keeps what was decided. Idempotent: an event that has ended stays as it is, and nothing follows from it again. */
  settle(
    settlements: readonly {
      readonly id: string;
      readonly decisions: readonly Omit<TriggerDecision, 'event' | 'at'>[];
      /** Events that follow from it, recorded in the same transaction. */
      readonly then?: readonly NewTriggerEvent[];
    }[],
  ): Promise<void>;
  /** Tried again at `retryAt`, or `failed` for good without it. `passing`: the event is not to blame, its attempts count from 0 again. */
  postpone(id: string, why: { readonly error: string; readonly retryAt?: string; readonly passing?: boolean }): Promise<void>;
  /** Newest first. */
  decisions(query: {
    readonly event?: string;
    readonly task?: string;
    readonly run?: string;
    readonly limit: number;
  }): Promise<readonly TriggerDecision[]>;
  /** Names of the tasks that something was decided for, also of those that are gone. */
  decidedTasks(): Promise<readonly string[]>;
  /** Settled and failed events, with their decisions, received before; keeps `dedupKey`s of webhooks as long as that. */
  prune(query: { readonly before: string; readonly limit: number }): Promise<number>;
  counts(): Promise<Readonly<Record<TriggerEvent['status'], number>>>;
}

export interface EventQuery {
  readonly origin?: TriggerEvent['origin'];
  readonly status?: TriggerEvent['status'];
  readonly kind?: TriggerEvent['happening']['kind'];
  /** Events with a decision for this task. */
  readonly task?: string;
  readonly since?: string;
  readonly limit: number;
  /** Events with a smaller number. */
  readonly before?: number;
}
