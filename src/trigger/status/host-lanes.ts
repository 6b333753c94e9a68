import PQueue from 'p-queue';
import type { Clock } from '../../model/ports/clock.ts';

/** Requests at once to one server. */
const AT_ONCE = 4;

/** One lane for each server, so that a slow one holds up no other, and a word of when it may be asked again. */
export class HostLanes {
  readonly #clock: Clock;
  readonly #lanes = new Map<string, { readonly queue: PQueue; pausedUntilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `work`, which must not reject, when the lane has a place. */
  async run(host: string, work: () => Promise<void>): Promise<void> {
    const lane = this.#lane(host);
    await lane.queue.add(work);
    const over = lane.queue.size === 0 && lane.queue.pending === 0 && lane.pausedUntilMs <= this.#clock.monotonicMs();
    if (over) this.#lanes.delete(host);
  }

  pause(host: string, ms: number): void {
    const lane = this.#lane(host);
    lane.pausedUntilMs = Math.max(lane.pausedUntilMs, this.#clock.monotonicMs() + ms);
  }

  /** Milliseconds until the server may be asked; 0: now. */
  pausedFor(host: string): number {
    return Math.max(0, (this.#lanes.get(host)?.pausedUntilMs ?? 0) - this.#clock.monotonicMs());
  }

  #lane(host: string): { readonly queue: PQueue; pausedUntilMs: number } {
    const known = this.#lanes.get(host);
    if (known !== undefined) return known;
    const lane = { queue: new PQueue({ concurrency: AT_ONCE }), pausedUntilMs: 0 };
    this.#lanes.set(host, lane);
    return lane;
  }
}
