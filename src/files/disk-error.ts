import { EngineError } from '../model/engine-error.ts';

const NO_SPACE: readonly string[] = ['ENOSPC', 'EDQUOT'];

/** A failed file operation as `disk-full` or `data-directory`; what is an EngineError already stays. `what` completes "cannot …". */
export function diskError(what: string, error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = NO_SPACE.includes(systemCode(error)) ? 'disk-full' : 'data-directory';
  return new EngineError(code, `cannot ${what}: ${message}`, { cause: error, transient: code === 'disk-full' });
}

/** `ENOENT` and the like; empty for errors that are not the system's. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
