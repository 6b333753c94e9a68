import { EngineError } from '../model/engine-error.ts';
import { ERROR_CODES, type ErrorCode } from '../model/error-codes.ts';
import type { TransferOutcome } from '../model/ports/container-engine.ts';

/**
 * How a piece of a step's work ended. `failed`: the user's work said no. `errored`: the engine or a registry could not do its work.
 * `canceled`: its signal was aborted; whoever aborted it knows why. `because` is a sentence without a full stop.
 */
export type WorkResult =
  | { readonly status: 'succeeded'; readonly exitCode?: number }
  | { readonly status: 'failed'; readonly because: string; readonly exitCode?: number; readonly timedOut: boolean }
  | { readonly status: 'errored'; readonly because: string; readonly errorCode: ErrorCode }
  | { readonly status: 'canceled' };

export const CANCELED: WorkResult = { status: 'canceled' };

/** What a thrown error means for the work: after its signal was aborted, any error is the cancellation. */
export function resultOfError(error: unknown, signal: AbortSignal): WorkResult {
  if (signal.aborted) return CANCELED;
  if (error instanceof EngineError) {
    // What is no fault of the engine in the catalogue (a missing Dockerfile, a context that breaks a rule) is the user's matter.
    if (ERROR_CODES[error.code].exitCode !== 3) return { status: 'failed', because: error.message, timedOut: false };
    return { status: 'errored', because: error.message, errorCode: error.code };
  }
  const text = error instanceof Error ? error.message : String(error);
  return { status: 'errored', because: `a defect of this program: ${text}`, errorCode: 'internal' };
}

/** A transfer that did not work: refused for good is the user's matter, anything else the registry's. */
export function resultOfTransfer(outcome: Extract<TransferOutcome, { ok: false }>, what: string): WorkResult {
  if (outcome.canceled) return CANCELED;
  const because = `${what}: ${outcome.message}`;
  return outcome.permanent ? { status: 'failed', because, timedOut: false } : { status: 'errored', because, errorCode: 'registry-failed' };
}
