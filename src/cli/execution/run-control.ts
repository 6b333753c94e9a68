import { type Cancellation, listenForSignals } from '../cancellation.ts';
import type { Io } from '../io.ts';

const HURRIED_REMOVAL_MS = 10_000;

/** What a run offers to whoever may have to end it. */
interface Attached {
  say(message: string): void;
  destroyNow(deadline: AbortSignal): void;
}

/** Connects signals, and readers that go away, with whichever run is going on. */
export interface RunControl {
  /** Aborted when the run is to be cancelled. */
  readonly runSignal: AbortSignal;
  readonly cleanupSignal: AbortSignal;
  attach(run: Attached): void;
}

/** The control of a whole command; a watching one has a run after another. */
export interface CommandControl extends RunControl {
  /** Control for one run of several: it also ends when `signal` aborts. */
  forRun(signal: AbortSignal): RunControl;
  /** Removes what the run of the moment has in the engine, without waiting for its steps. */
  hurry(): void;
  dispose(): void;
}

export function createControl(io: Io): CommandControl {
  let attached: Attached = { say: (message) => void io.stderr.write(`${message}\n`), destroyNow: () => undefined };
  const cancellation: Cancellation = listenForSignals({
    say: (message) => attached.say(message),
    hurry: (deadline) => attached.destroyNow(deadline),
  });
  // Nobody reads what the run says any more: what was started is stopped and removed.
  io.onReaderGone(() => cancellation.cancel());
  const control: RunControl = {
    runSignal: cancellation.run,
    cleanupSignal: cancellation.cleanup,
    attach: (run) => {
      attached = run;
    },
  };
  return {
    ...control,
    forRun: (signal) => ({ ...control, runSignal: AbortSignal.any([cancellation.run, signal]) }),
    hurry: () => attached.destroyNow(AbortSignal.timeout(HURRIED_REMOVAL_MS)),
    dispose: () => cancellation.dispose(),
  };
}
