import type { Clock } from '../model/ports/clock.ts';
import type { WorkResult } from './work-result.ts';

export interface WorkIo {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Gives the work a signal that aborts with the caller's or when `limitMs` have passed. Work that was stopped by the limit has failed,
 * with a reason that ends with `timed out`; `spentMs` of it have passed already; work that ended by itself at the last moment keeps its result.
 */
export async function withDeadline(
  limitMs: number,
  what: string,
  { clock, signal }: WorkIo,
  work: (signal: AbortSignal) => Promise<WorkResult>,
  spentMs = 0,
): Promise<WorkResult> {
  const expired = new AbortController();
  const ended = new AbortController();
  void clock.sleep(Math.max(0, limitMs - spentMs), AbortSignal.any([ended.signal, signal])).then(() => {
    if (!ended.signal.aborted && !signal.aborted) expired.abort();
  });
  try {
    const result = await work(AbortSignal.any([signal, expired.signal]));
    if (result.status !== 'canceled' || !expired.signal.aborted) return result;
    return { status: 'failed', because: `${what} did not end within ${formatSeconds(limitMs)}: timed out`, timedOut: true };
  } finally {
    ended.abort();
  }
}

function formatSeconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(3))} s`;
}
