type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const SIGNALS: readonly Signal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const HURRIED_CLEANUP_MS = 3000;

/** How a person's signals reach a run. */
export interface Cancellation {
  /** Aborted by the first signal: cancel the steps and clean up. */
  readonly run: AbortSignal;
  /** Aborted some seconds after the second signal: leave even if things are left over. */
  readonly cleanup: AbortSignal;
  /** Cancels as the first signal does, without a message (the reader of our output is gone, a watched file changed). */
  cancel(): void;
  /** Takes the handlers away again. */
  dispose(): void;
}

/**
 * First SIGINT, SIGTERM or SIGHUP: cancel, clean up, say so. Second: `hurry` removes what there is by force, and the clean-up
 * gets three more seconds. Third: the process ends at once; what is left is collected by the next run.
 */
export function listenForSignals(on: { say(message: string): void; hurry(deadline: AbortSignal): void }): Cancellation {
  const run = new AbortController();
  const cleanup = new AbortController();
  let received = 0;
  let deadline: NodeJS.Timeout | undefined;
  const onSignal = (signal: Signal): void => {
    received += 1;
    if (received === 1) {
      on.say(
        `${signal === 'SIGINT' ? 'Cancelling' : `Cancelling (${signal})`}: steps are stopped and everything of this run is removed. Again to leave now.`,
      );
      run.abort(new Error(`cancelled by ${signal}`));
    } else if (received === 2) {
      on.say('Leaving: removing what is labelled, for at most 3 seconds.');
      on.hurry(AbortSignal.timeout(HURRIED_CLEANUP_MS));
      deadline = setTimeout(() => cleanup.abort(new Error('left before the clean-up ended')), HURRIED_CLEANUP_MS);
    } else process.exit(130);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    run: run.signal,
    cleanup: cleanup.signal,
    cancel: () => run.abort(new Error('cancelled')),
    dispose: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
      clearTimeout(deadline);
    },
  };
}
