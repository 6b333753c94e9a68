import { EngineError } from '../../model/engine-error.ts';

/** Work that ends with `signal`, as `draining`, or after `ms`, as a failure that may pass. `what` begins a sentence. */
export async function withDeadline<T>(
  { ms, signal, what }: { readonly ms: number; readonly signal: AbortSignal; readonly what: string },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = AbortSignal.timeout(ms);
  try {
    return await work(AbortSignal.any([signal, late]));
  } catch (error) {
    if (signal.aborted) throw new EngineError('draining', 'the daemon is ending', { cause: error, transient: true });
    if (!late.aborted) throw error;
    throw new EngineError('context-failed', `${what} took longer than ${ms / 1000} s`, { cause: error, transient: true });
  }
}
