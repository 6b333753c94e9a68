import { EngineError } from '../../src/model/engine-error.ts';

/** The EngineError that a promise rejects with; anything else is a failure of the test. */
export async function engineFailure(promise: Promise<unknown>): Promise<EngineError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof EngineError)) throw new Error(`expected an EngineError, got ${String(error)}`);
  return error;
}
