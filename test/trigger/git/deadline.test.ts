import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/model/engine-error.ts';
import { withDeadline } from '../../../src/trigger/git/deadline.ts';
import { engineFailure } from '../../support/engine-failure.ts';

/** Work that ends with its signal, as git does. */
function endless(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(new EngineError('context-failed', 'git was cancelled'));
    if (signal.aborted) end();
    signal.addEventListener('abort', end);
  });
}

describe('a deadline', () => {
  it('tells what may pass from what will not', async () => {
    const { signal } = new AbortController();
    expect(await withDeadline({ ms: 60_000, signal, what: 'it' }, async () => 1)).toBe(1);
    const late = await engineFailure(withDeadline({ ms: 5, signal, what: 'listing it' }, endless));
    expect(late).toMatchObject({ code: 'context-failed', transient: true, message: 'listing it took longer than 0.005 s' });
    const ending = await engineFailure(withDeadline({ ms: 60_000, signal: AbortSignal.abort(), what: 'it' }, endless));
    expect(ending).toMatchObject({ code: 'draining', transient: true });
    const own = new EngineError('context-rejected', 'no');
    await expect(withDeadline({ ms: 60_000, signal, what: 'it' }, () => Promise.reject(own))).rejects.toBe(own);
  });
});
