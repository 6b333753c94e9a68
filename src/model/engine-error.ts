import type { Diagnostic } from './diagnostic.ts';
import { ERROR_CODES, type ErrorCode } from './error-codes.ts';

/** A broken environment (engine, registry, network, disk) as an exception with a code of the catalogue. User mistakes are Diagnostics. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: ErrorCode;
  /** How to mend it; by default the catalogue's. */
  readonly help: string;
  /** True when the same call may succeed later. */
  readonly transient: boolean;
  /** What a server asked for before the next try; undefined when it asked for nothing. */
  readonly retryAfterMs: number | undefined;
  /** Every mistake of the request or file that was refused; empty for other errors. */
  readonly diagnostics: readonly Diagnostic[];

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      readonly cause?: unknown;
      readonly help?: string;
      readonly transient?: boolean;
      readonly retryAfterMs?: number | undefined;
      readonly diagnostics?: readonly Diagnostic[];
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.help = options.help ?? ERROR_CODES[code].help;
    this.transient = options.transient ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.diagnostics = options.diagnostics ?? [];
  }
}
