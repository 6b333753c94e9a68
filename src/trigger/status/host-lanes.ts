import PQueue from 'p-queue';
import type { Clock } from '../../model/ports/clock.ts';

/** Requests at once to one server. */
const AT_ONCE = 4;

/** One lane for each server, so that a slow one holds up no other, and when what may be asked again. */
export class HostLanes {
  readonly #clock: Clock;
  readonly #lanes = new Map<string, PQueue>();
  readonly #pauses = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `work`, which must not reject, when the lane has a place. */
  async run(host: string, work: () => Promise<void>): Promise<void> {
    const lane = this.#lanes.get(host) ?? new PQueue({ concurrency: AT_ONCE });
    this.#lanes.set(host, lane);
    await lane.add(work);
    if (lane.size === 0 && lane.pending === 0) this.#lanes.delete(host);
  }

  /** `whom`: a server, or one who asks it. */
  pause(whom: string, ms: number): void {
    const now = this.#clock.monotonicMs();
    for (const [each, untilMs] of this.#pauses) if (untilMs <= now) this.#pauses.delete(each);
    this.#pauses.set(whom, Math.max(this.#pauses.get(whom) ?? 0, now + ms));
  }

  /** Milliseconds until all of them may go on; 0: now. */
  pausedFor(...whom: readonly string[]): number {
    const now = this.#clock.monotonicMs();
    return Math.max(0, ...whom.map((each) => (this.#pauses.get(each) ?? 0) - now));
  }
}
