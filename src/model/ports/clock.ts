/** Time as the engine sees it. `monotonicMs` never goes back and is for durations; `now` is for people. */
export interface Clock {
  now(): Date;
  monotonicMs(): number;
  /** Resolves after `ms`, or at once when `signal` aborts (it never rejects; look at the signal afterwards). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
