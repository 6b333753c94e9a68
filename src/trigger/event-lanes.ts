import PQueue from 'p-queue';
import { laneOf, nearKindOf } from '../model/event-lane.ts';
import type { Clock } from '../model/ports/clock.ts';
import type { TriggerEvent } from '../model/trigger-event.ts';

export interface LaneParts {
  readonly clock: Clock;
  /** Never rejects. */
  readonly decide: (event: TriggerEvent) => Promise<void>;
  /** Whether others have more to do than they get done, and are waited for. */
  readonly isBusy: () => boolean;
  /** Nothing is begun any more. */
  readonly closing: AbortSignal;
}

/** As many as share one transaction of the store. */
const NEAR_AT_ONCE = 256;
/** Most of these wait, for what looks find: each is a few objects. */
const FAR_AT_ONCE = 512;
/** For so long at most an event waits for those who wait for answers, and between looks whether they still do. */
const LONGEST_GIVEN_WAY_MS = 5000;
const GIVEN_WAY_MS = 25;

/** Has events decided on: those of one lane in order, the lanes side by side. */
export class EventLanes {
  readonly #parts: LaneParts;
  /** Those that touch nothing but this daemon do not wait for the others. */
  readonly #near = new PQueue({ concurrency: NEAR_AT_ONCE });
  readonly #far = new PQueue({ concurrency: FAR_AT_ONCE });
  /** What follows the first of each lane. */
  readonly #lanes = new Map<string, TriggerEvent[]>();

  constructor(parts: LaneParts) {
    this.#parts = parts;
  }

  add(event: TriggerEvent): void {
    const lane = laneOf(event);
    const behind = this.#lanes.get(lane);
    if (behind !== undefined) {
      behind.push(event);
      return;
    }
    this.#lanes.set(lane, []);
    this.#dispatch(event, lane);
  }

  /** Resolves when nothing is being decided on, and nothing waits for it. */
  async idle(): Promise<void> {
    await Promise.all([this.#near.onIdle(), this.#far.onIdle()]);
  }

  /** Forgets what was not begun. */
  clear(): void {
    this.#near.clear();
    this.#far.clear();
  }

  #dispatch(event: TriggerEvent, lane: string): void {
    const { closing, decide } = this.#parts;
    const work = async (): Promise<void> => {
      await this.#giveWay();
      if (!closing.aborted) await decide(event);
      const next = this.#lanes.get(lane)?.shift();
      if (next === undefined) this.#lanes.delete(lane);
      else if (!closing.aborted) this.#dispatch(next, lane);
    };
    void (nearKindOf(event) !== undefined ? this.#near : this.#far).add(work);
  }

  /** A forge waits for an answer; a run can be there a second later. */
  async #giveWay(): Promise<void> {
    const { clock, isBusy, closing } = this.#parts;
    for (let waitedMs = 0; waitedMs < LONGEST_GIVEN_WAY_MS && isBusy(); waitedMs += GIVEN_WAY_MS) {
      if (closing.aborted) return;
      await clock.sleep(GIVEN_WAY_MS, closing);
    }
  }
}
