import type { BuildOutcome, TransferOutcome } from '../../src/model/ports/container-engine.ts';

/** `hold`: does not end before it is cancelled. An Error is what the call rejects with. */
export type Answer<T> = T | Error | 'hold';

/** Scripted answers by key, used up in order; the last one stays. */
export interface Script<T> {
  set(key: string, ...answers: Answer<T>[]): void;
  next(key: string): Answer<T> | undefined;
}

export interface Scripts {
  /** By reference. */
  readonly pull: Script<TransferOutcome>;
  /** By reference. */
  readonly push: Script<TransferOutcome>;
  /** By step id. */
  readonly build: Script<BuildOutcome>;
  /** By step id: the engine breaks while it runs the container; undefined entries run it. */
  readonly run: Script<'run'>;
}

export function createScripts(): Scripts {
  return { pull: createScript(), push: createScript(), build: createScript(), run: createScript() };
}

function createScript<T>(): Script<T> {
  const answers = new Map<string, Answer<T>[]>();
  return {
    set: (key, ...given) => void answers.set(key, given),
    next: (key) => {
      const left = answers.get(key);
      return left !== undefined && left.length > 1 ? left.shift() : left?.[0];
    },
  };
}

/** Waits for `signal` and then gives what a cancelled call gives. */
export function heldUntilCanceled<T>(signal: AbortSignal, canceled: T): Promise<T> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(canceled);
    else signal.addEventListener('abort', () => resolve(canceled), { once: true });
  });
}
