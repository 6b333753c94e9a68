import { CANCELED, type WorkResult } from './work-result.ts';

const MOST_REASONS = 10;

/**
 * Runs the work `repeat` more times, whatever its result. It has failed when any of them failed: as the first one did, with the
 * reasons of all of them.
 */
export async function repeatWork(repeat: number, signal: AbortSignal, work: () => Promise<WorkResult>): Promise<WorkResult> {
  let first: Exclude<WorkResult, { status: 'succeeded' | 'canceled' }> | undefined;
  const reasons: string[] = [];
  let failures = 0;
  for (let left = repeat; ; left -= 1) {
    const result = await work();
    if (result.status === 'canceled') return result;
    if (result.status !== 'succeeded') {
      first ??= result;
      failures += 1;
      if (failures <= MOST_REASONS) reasons.push(result.because);
    }
    if (left <= 0) {
      if (first === undefined) return result;
      if (failures > MOST_REASONS) reasons.push(`and ${failures - MOST_REASONS} more`);
      return { ...first, because: reasons.join(', ') };
    }
    if (signal.aborted) return CANCELED;
  }
}
