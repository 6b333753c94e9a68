import { laneOf, NEAR_KINDS, type NearKind } from '../model/event-lane.ts';
import type { EventStore } from '../model/ports/event-store.ts';
import type { TriggerEvent } from '../model/trigger-event.ts';
import { type EventLanes, LARGEST_LANE } from './event-lanes.ts';

export interface ReaderParts {
  readonly events: Pick<EventStore, 'waiting' | 'waitingInLane' | 'retriable'>;
  readonly lanes: Pick<EventLanes, 'add' | 'sizeOf' | 'full' | 'farLanes'>;
  /** Takes an event for this process; false: it is taken already. */
  readonly take: (event: TriggerEvent) => boolean;
}

/** Events of one query: more would make a long turn of the event loop. */
const PAGE = 500;
/** Lanes of events that ask repositories and registries, in memory. */
const MOST_LANES = 1024;
/** Lanes that are filled up before something else is looked at. */
const LANES_AT_ONCE = 64;

interface Counts {
  fresh: number;
  more: boolean;
}

type Stream = NearKind | 'far';

/**
 * Brings pending events from the store into the lanes: each kind of them that somebody waits for by a look of its own, and of one lane no more
 * than it holds. What does not fit stays in the store, and is found by its lane when there is room.
 */
export class EventReader {
  readonly #parts: ReaderParts;
  /** Numbers of the newest events that were read. */
  readonly #newest = new Map<Stream, number>();
  /** Lanes with more in the store, each with the number after which it is. */
  readonly #more = new Map<string, number>();
  readonly #refill = new Set<string>();
  /** There may be more in the store, and there are too many lanes to take it. */
  #isFull = false;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  /** Nothing is known to be left in the store, but what waits for its time. */
  get isThrough(): boolean {
    return this.#more.size === 0 && !this.#isFull;
  }

  /** A lane has room. Whether there is something for it. */
  hasRoom(lane: string): boolean {
    if (this.#more.has(lane)) this.#refill.add(lane);
    return this.#refill.size > 0 || (this.#isFull && this.#parts.lanes.farLanes <= MOST_LANES / 2);
  }

  /** Reads all that is pending anew. */
  rewind(): void {
    this.#newest.clear();
  }

  /** How many events were taken, and whether more can be taken at once. */
  async read(): Promise<{ readonly fresh: number; readonly more: boolean }> {
    const counts: Counts = { fresh: 0, more: false };
    this.#isFull = false;
    for (const kind of NEAR_KINDS) await this.#readStream(kind, counts);
    await this.#readRetriable('near', counts);
    await this.#readRetriable('far', counts);
    await this.#refillLanes(counts);
    if (this.#takes('far')) await this.#readStream('far', counts);
    return counts;
  }

  #takes(kind: Stream | 'near'): boolean {
    if (kind !== 'far' || this.#parts.lanes.farLanes < MOST_LANES) return true;
    this.#isFull = true;
    return false;
  }

  async #readStream(kind: Stream, counts: Counts): Promise<void> {
    const page = await this.#parts.events.waiting({ kind, after: this.#newest.get(kind) ?? 0, limit: PAGE });
    const last = page.at(-1);
    if (last !== undefined) this.#newest.set(kind, last.number);
    for (const event of page) counts.fresh += this.#offer(event);
    if (page.length === PAGE && this.#takes(kind)) counts.more = true;
  }

  /** Page after page: those that are taken already are among them. */
  async #readRetriable(kind: 'near' | 'far', counts: Counts): Promise<void> {
    let after = 0;
    while (this.#takes(kind)) {
      const page = await this.#parts.events.retriable({ kind, after, limit: PAGE, exceptLanes: this.#parts.lanes.full() });
      for (const event of page) if (this.#parts.lanes.sizeOf(laneOf(event)) < LARGEST_LANE) counts.fresh += this.#add(event);
      if (page.length < PAGE) return;
      after = page.at(-1)?.number ?? after;
    }
  }

  async #refillLanes(counts: Counts): Promise<void> {
    for (const lane of [...this.#refill].slice(0, LANES_AT_ONCE)) {
      this.#refill.delete(lane);
      const after = this.#more.get(lane);
      const limit = LARGEST_LANE - this.#parts.lanes.sizeOf(lane);
      if (after === undefined || limit <= 0) continue;
      const page = await this.#parts.events.waitingInLane({ lane, after, limit });
      const last = page.at(-1);
      if (last === undefined || page.length < limit) this.#more.delete(lane);
      else this.#more.set(lane, last.number);
      for (const event of page) counts.fresh += this.#add(event);
      // They were taken already, and nothing tells of room again.
      if (this.#more.has(lane) && this.#parts.lanes.sizeOf(lane) < LARGEST_LANE / 2) this.#refill.add(lane);
    }
    if (this.#refill.size > 0) counts.more = true;
  }

  /** In its order: nothing overtakes what its lane has in the store. */
  #offer(event: TriggerEvent): 0 | 1 {
    const lane = laneOf(event);
    const after = this.#more.get(lane);
    if (after === undefined && this.#parts.lanes.sizeOf(lane) < LARGEST_LANE) return this.#add(event);
    this.#more.set(lane, Math.min(after ?? Number.POSITIVE_INFINITY, event.number - 1));
    return 0;
  }

  #add(event: TriggerEvent): 0 | 1 {
    if (!this.#parts.take(event)) return 0;
    this.#parts.lanes.add(event);
    return 1;
  }
}
