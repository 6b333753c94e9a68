import { EngineError } from '../model/engine-error.ts';
import { ERROR_CODES } from '../model/error-codes.ts';
import type { RunStatus } from '../model/run-event.ts';

/** What the process tells its caller; the list is in docs/acr-compatibility.md. */
export const EXIT = { ok: 0, stepFailed: 1, badInput: 2, engineFailed: 3, timedOut: 124, canceled: 130 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The status of a run alone decides: what a step finds wrong in its input makes it fail. */
export function exitCodeOfRun(status: RunStatus): ExitCode {
  switch (status) {
    case 'Succeeded':
      return EXIT.ok;
    case 'Failed':
      return EXIT.stepFailed;
    case 'Timeout':
      return EXIT.timedOut;
    case 'Canceled':
      return EXIT.canceled;
    default:
      return EXIT.engineFailed;
  }
}

/** For what goes wrong before there is a run. */
export function exitCodeOfError(error: unknown): ExitCode {
  return error instanceof EngineError ? ERROR_CODES[error.code].exitCode : EXIT.engineFailed;
}
