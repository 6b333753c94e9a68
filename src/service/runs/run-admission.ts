import { EngineError } from '../../model/engine-error.ts';
import type { RunQueue } from '../../model/ports/run-queue.ts';
import type { RunRequest } from '../../model/run-record.ts';
import { Turns } from './turns.ts';

export interface RunServiceLimits {
  /** Most runs that wait. */
  readonly maxQueued: number;
  /** Most runs of one task that wait. */
  readonly maxQueuedPerTask?: number;
}

export interface AdmissionParts {
  readonly queue: Pick<RunQueue, 'queued'>;
  readonly limits: RunServiceLimits;
  /** Why the disk takes no new runs, or undefined when it does. */
  diskRefusal(): Promise<string | undefined>;
}

/** So that a flood of pull requests of strangers leaves room for everybody else. */
const SHARE_OF_UNTRUSTED = 0.5;

/** Whether new runs are taken. */
export class RunAdmission {
  draining = false;
  readonly #parts: AdmissionParts;
  readonly #groups = new Turns();
  /** On their way into the queue. */
  #creating = 0;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** Rejects with EngineError `draining` or `disk-full`. */
  async checkOpen(): Promise<void> {
    if (this.draining) throw new EngineError('draining', 'the daemon is ending and takes no new runs', { transient: true });
    const full = await this.#parts.diskRefusal();
    if (full !== undefined) throw new EngineError('disk-full', full, { transient: true });
  }

  /** Counted from the check on, so that many at once find no more room than there is; those of a group go one after the other. */
  async inPlace<Made>(request: RunRequest, enqueue: () => Promise<Made>): Promise<Made> {
    const { queue, limits } = this.#parts;
    const { task, trust } = request;
    const rivals = trust === 'trusted' ? { trust } : {};
    const [queued, untrusted, ofTask] = await Promise.all([
      queue.queued(),
      trust === 'trusted' ? 0 : queue.queued({ trust }),
      task === undefined ? 0 : queue.queued({ task, ...rivals }),
    ]);
    if (queued + this.#creating >= limits.maxQueued)
      throw queueFull(`${queued} runs wait, and the daemon takes ${limits.maxQueued} at most`);
    const mostUntrusted = Math.ceil(limits.maxQueued * SHARE_OF_UNTRUSTED);
    if (untrusted >= mostUntrusted)
      throw queueFull(`${untrusted} untrusted runs wait, and the daemon takes ${mostUntrusted} of them at most`);
    if (ofTask >= (limits.maxQueuedPerTask ?? limits.maxQueued))
      throw queueFull(`${ofTask} runs of task ${JSON.stringify(task)} wait, and ${limits.maxQueuedPerTask} may at most`);
    const group = request.concurrency?.group;
    this.#creating += 1;
    try {
      return await (group === undefined ? enqueue() : this.#groups.take(group, enqueue));
    } finally {
      this.#creating -= 1;
    }
  }
}

function queueFull(because: string): EngineError {
  return new EngineError('queue-full', because, { transient: true });
}
