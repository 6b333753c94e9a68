import type { Clock } from '../../model/ports/clock.ts';
import type { RunRecord } from '../../model/run-record.ts';
import { Deadlines } from './deadlines.ts';
import { type EndingParts, endRun } from './run-endings.ts';
import { outcomeOfDaemon } from './run-projection.ts';

export interface QueueTimesParts extends EndingParts {
  readonly clock: Clock;
  /** Something that nobody waits for went wrong: for the daemon's own log. */
  onProblem(run: string, error: unknown): void;
}

/** A run that has been claimed may come back to the queue. */
const LOOK_AGAIN_MS = 30_000;

/** Ends runs that wait for longer than they may. */
export class QueueTimes {
  readonly #parts: QueueTimesParts;
  readonly #deadlines: Deadlines;

  constructor(parts: QueueTimesParts) {
    this.#parts = parts;
    this.#deadlines = new Deadlines(parts.clock, (run) => this.#onQueueTimeout(run));
  }

  /** Nothing for a run that may wait for ever, or has begun. */
  watch(record: RunRecord): void {
    const { id, request, status } = record;
    if (request.queueTimeout === undefined || (status !== 'Queued' && status !== 'Started')) return;
    this.#deadlines.add(id, this.#leftMs(record, request.queueTimeout * 1000));
  }

  /**
   * Time in the queue counts while nothing holds a run: from the last change of what it waits for, an approval for example, or from its creation.
   * Of one that is held all of it is left.
   */
  #leftMs({ hold, attempt, createTime, lastUpdatedTime, approval }: RunRecord, timeoutMs: number): number {
    if (hold !== undefined) return timeoutMs;
    const since = attempt === 0 ? lastUpdatedTime : (approval?.at ?? createTime);
    const waitedMs = Math.max(0, this.#parts.clock.now().getTime() - Date.parse(since));
    return timeoutMs - waitedMs;
  }

  /** Whether it was held when its time began, or is still, and has some left; the clock on the wall is asked of such runs only. */
  #goesOn(record: RunRecord): boolean {
    const { hold, attempt, createTime, lastUpdatedTime, approval, request } = record;
    if (request.queueTimeout === undefined) return true;
    if (hold === undefined && approval === undefined && (attempt > 0 || lastUpdatedTime === createTime)) return false;
    const leftMs = this.#leftMs(record, request.queueTimeout * 1000);
    if (leftMs > 0) this.#deadlines.add(record.id, leftMs);
    return leftMs > 0;
  }

  async #onQueueTimeout(id: string): Promise<void> {
    try {
      const record = await this.#parts.store.runs.get(id);
      if (record?.status === 'Started') this.#deadlines.add(id, LOOK_AGAIN_MS);
      if (record?.status === 'Queued' && !this.#goesOn(record)) await this.#endWaiting(record);
    } catch (error) {
      this.#parts.onProblem(id, error);
      this.#deadlines.add(id, LOOK_AGAIN_MS);
    }
  }

  /** At the attempt that was seen: an agent that takes the run meanwhile has it. */
  async #endWaiting(record: RunRecord): Promise<void> {
    const waiting = (await this.#parts.queue.waiting()).find(({ run }) => run === record.id);
    const reason = waiting === undefined ? '' : `: ${waiting.because}`;
    const message = `waited longer than ${record.request.queueTimeout} s in the queue${reason}`;
    const ended = await endRun(this.#parts, record, outcomeOfDaemon(record, 'Timeout', { message, errorCode: 'queue-timeout' }));
    if (!ended) this.#deadlines.add(record.id, LOOK_AGAIN_MS);
  }

  close(): Promise<void> {
    return this.#deadlines.close();
  }
}
