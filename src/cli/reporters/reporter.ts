import type { RunEvent } from '../../model/run-event.ts';

/** Prints a run for somebody. A returned promise holds the run back until the reader has caught up. */
export interface Reporter {
  emit(event: RunEvent): void | Promise<void>;
  /** Something to say outside of the run's events (cancelling, waiting for a change of a file). */
  say(message: string): void;
  /** Stops drawing and gives the terminal back as it was. Idempotent. */
  close(): void;
}
