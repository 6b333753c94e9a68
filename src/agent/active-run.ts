import type { Assignment, Lease } from '../model/ports/agent-channel.ts';

/** One run in the hands of an agent, and the ways in which it may end before its time. */
export class ActiveRun {
  readonly assignment: Assignment;
  readonly lease: Lease;
  /** What everything of the run is named after in the engine. */
  readonly spaceId: string;
  /** Label of everything that the daemon's runs make in an engine. */
  readonly owner: string;
  readonly #cancel = new AbortController();
  readonly #lose = new AbortController();
  readonly #suspend = new AbortController();
  /** Settles when nothing of this attempt goes on any more; never rejects. */
  ended: Promise<void> = Promise.resolve();

  constructor(assignment: Assignment, daemonId: string) {
    this.assignment = assignment;
    this.lease = { run: assignment.run, attempt: assignment.attempt };
    this.owner = ownerOf(daemonId);
    this.spaceId = `${assignment.run}x${daemonId}`;
    if (assignment.cancel !== undefined) this.cancel(assignment.cancel.reason);
  }

  /** Somebody asked for its end; the reason is a sentence. */
  cancel(reason: string): void {
    this.#cancel.abort(reason);
  }

  /** The lease is another's: everything of the run is stopped at once, and no more is said of it. */
  lose(): void {
    this.#lose.abort();
  }

  /** Containers run on; a later attempt takes the run back. */
  suspend(): void {
    this.#suspend.abort();
  }

  get canceled(): AbortSignal {
    return this.#cancel.signal;
  }
  get lost(): AbortSignal {
    return this.#lose.signal;
  }
  get suspended(): AbortSignal {
    return this.#suspend.signal;
  }
}

/** Label of everything that a daemon's runs make in an engine. */
export function ownerOf(daemonId: string): string {
  return `daemon/${daemonId}`;
}
