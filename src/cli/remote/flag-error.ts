import type { Diagnostic } from '../../model/diagnostic.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { renderDiagnostics } from '../print-diagnostics.ts';

/** Flags that cannot be together, or whose values cannot be. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(({ message }) => message).join('; '));
    this.diagnostics = diagnostics;
  }
}

/** Flags that exclude each other, or do not fit what they are given for. Other refusals are EngineErrors with a code of their own. */
export function conflict(message: string, help?: string): FlagError {
  return flagError('flags-conflict', message, help);
}

/** A flag is left out that is needed, or that another one needs. */
export function missingFlag(message: string, help?: string): FlagError {
  return flagError('flag-missing', message, help);
}

/** A context that what was asked for cannot be done with. */
export function unsupportedContext(message: string, help: string): FlagError {
  return flagError('context-unsupported', message, help);
}

function flagError(code: 'flags-conflict' | 'flag-missing' | 'context-unsupported', message: string, help?: string): FlagError {
  return new FlagError([{ code, severity: 'error', message, ...(help === undefined ? {} : { help }) }]);
}

/** For a run on this machine that was given flags of a daemon. */
export function refuseDaemonFlags(message: string, io: Io): ExitCode {
  const { diagnostics } = missingFlag(message, 'add `--remote` or `--server URL` to run on a daemon, or leave them out');
  io.stderr.write(renderDiagnostics(diagnostics, io.paintError));
  return EXIT.badInput;
}

/** Prints flag errors and gives their exit code; other errors pass. */
export async function reportingFlags(io: Io, work: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    io.stderr.write(renderDiagnostics(error.diagnostics, io.paintError));
    return EXIT.badInput;
  }
}
