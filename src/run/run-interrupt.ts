import type { ErrorCode } from '../model/error-codes.ts';

/** Why a run ends before its steps do. `because` completes "canceled because …" and "skipped because …". */
export interface Interruption {
  /** `failure`: a step failed and steps fail fast. `broken`: the engine, or the taker of the events, cannot go on. */
  readonly kind: 'failure' | 'canceled' | 'timeout' | 'broken';
  readonly because: string;
  readonly errorCode?: ErrorCode;
}

/** The one switch that ends a run early. The first reason by time counts, later ones change nothing. */
export class RunInterrupt {
  readonly #controller = new AbortController();
  #reason: Interruption | undefined;

  /** Aborts when the run is to end: every step listens to it. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get reason(): Interruption | undefined {
    return this.#reason;
  }

  raise(reason: Interruption): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller.abort();
  }
}
