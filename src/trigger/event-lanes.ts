import PQueue from 'p-queue';
import { laneOf, nearKindOf } from '../model/event-lane.ts';
import type { TriggerEvent } from '../model/trigger-event.ts';
import { CrowdGate, type GateParts, type Turn } from './crowd-gate.ts';

export interface LaneParts extends GateParts {
  /** Never rejects. */
  readonly decide: (event: TriggerEvent) => Promise<void>;
  /** Whether it has ended processes, and one time more would be the last. */
  readonly isSuspect: (event: TriggerEvent) => boolean;
  /** A lane has room, or is gone. */
  readonly onRoom: (lane: string) => void;
}

/** As many as share one transaction of the store. */
const NEAR_AT_ONCE = 256;
/** Most of these wait, for what looks find: each is a few objects. */
const FAR_AT_ONCE = 512;
/** Events of one lane in memory. */
export const LARGEST_LANE = 32;
/** What takes longer ends no process: the next may begin beside it. */
const LONGEST_ALONE_MS = 2000;

interface Lane {
  /** What follows the first. */
  readonly behind: TriggerEvent[];
  readonly isFar: boolean;
  readonly turn: Turn;
}

/** Has events decided on: those of one lane in order, the lanes side by side. */
export class EventLanes {
  readonly #parts: LaneParts;
  readonly #gate: CrowdGate;
  /** Those that touch nothing but this daemon, and ends of runs, do not wait for the others. */
  readonly #near = new PQueue({ concurrency: NEAR_AT_ONCE });
  readonly #ends = new PQueue({ concurrency: NEAR_AT_ONCE });
  readonly #far = new PQueue({ concurrency: FAR_AT_ONCE });
  /** One after the other, so that none of them makes another look guilty. */
  readonly #suspects = new PQueue({ concurrency: 1 });
  readonly #lanes = new Map<string, Lane>();
  /** Suspects that are being decided on. */
  readonly #alone = new Set<Promise<void>>();
  #farLanes = 0;

  constructor(parts: LaneParts) {
    this.#parts = parts;
    this.#gate = new CrowdGate(parts);
  }

  /** How many have events of repositories and registries. */
  get farLanes(): number {
    return this.#farLanes;
  }

  /** Events of a lane that are not through. */
  sizeOf(lane: string): number {
    const known = this.#lanes.get(lane);
    return known === undefined ? 0 : known.behind.length + 1;
  }

  /** Lanes that take no more. */
  full(): readonly string[] {
    const full: string[] = [];
    for (const [lane, { behind }] of this.#lanes) if (behind.length + 1 >= LARGEST_LANE) full.push(lane);
    return full;
  }

  add(event: TriggerEvent): void {
    const name = laneOf(event);
    const known = this.#lanes.get(name);
    if (known !== undefined) {
      known.behind.push(event);
      return;
    }
    const lane: Lane = { behind: [], isFar: nearKindOf(event) === undefined, turn: {} };
    this.#lanes.set(name, lane);
    if (lane.isFar) this.#farLanes += 1;
    this.#dispatch(event, name, lane);
  }

  /** Resolves when nothing is being decided on, and nothing waits for it. */
  async idle(): Promise<void> {
    await Promise.all([this.#near, this.#ends, this.#far, this.#suspects].map((queue) => queue.onIdle()));
    await Promise.all(this.#alone);
  }

  /** Forgets what was not begun. */
  clear(): void {
    for (const queue of [this.#near, this.#ends, this.#far, this.#suspects]) queue.clear();
  }

  #dispatch(event: TriggerEvent, name: string, lane: Lane): void {
    const work = async (): Promise<void> => {
      const { closing, decide } = this.#parts;
      if (lane.isFar) await this.#gate.pass(lane.turn);
      if (!closing.aborted) await decide(event);
      this.#next(name, lane);
    };
    if (this.#parts.isSuspect(event)) void this.#suspects.add(() => this.#alongside(work()));
    else void this.#queueOf(event).add(work);
  }

  #next(name: string, lane: Lane): void {
    const next = lane.behind.shift();
    if (next === undefined) {
      this.#lanes.delete(name);
      this.#gate.leave(lane.turn);
      if (lane.isFar) this.#farLanes -= 1;
    } else if (!this.#parts.closing.aborted) this.#dispatch(next, name, lane);
    if (lane.behind.length < LARGEST_LANE / 2) this.#parts.onRoom(name);
  }

  #queueOf(event: TriggerEvent): PQueue {
    const kind = nearKindOf(event);
    if (kind === undefined) return this.#far;
    return kind === 'run-ended' ? this.#ends : this.#near;
  }

  /** Resolves when it is through, or has taken long enough for the next suspect to begin. */
  async #alongside(work: Promise<void>): Promise<void> {
    const ended = new AbortController();
    const through = work.then(() => {
      this.#alone.delete(through);
      ended.abort();
    });
    this.#alone.add(through);
    await Promise.race([through, this.#parts.clock.sleep(LONGEST_ALONE_MS, ended.signal)]);
  }
}
