import { EngineError } from '../../model/engine-error.ts';
import type { Clock } from '../../model/ports/clock.ts';
import type { Look } from './look.ts';

/** Somebody says that a tag was pushed. */
export interface Told {
  /** What the tag is said to be. */
  readonly digest?: string | undefined;
  readonly receivedAt: string;
}

/** Between looks. Distribution tells of a push before it writes the tag, which takes it milliseconds. */
const WAITS_MS = [100, 400, 1500];
/** What was told longer ago is no longer on its way. */
const FRESH_MS = 30_000;

/**
 * Looks at a tag that was told of; again, a few times, while the registry does not have the push yet: it answers with what was before, with an
 * error that may pass, or with no such tag. The last look counts, and rejects as `look`.
 */
export async function lookAsTold(
  told: Told,
  look: () => Promise<Look>,
  { clock, signal }: { readonly clock: Pick<Clock, 'now' | 'sleep'>; readonly signal: AbortSignal },
): Promise<Look> {
  for (const waitMs of WAITS_MS) {
    if (clock.now().getTime() - Date.parse(told.receivedAt) >= FRESH_MS) break;
    const found = await look().catch(unlessItMayPass);
    if (found?.kind === 'found' && (told.digest === undefined || found.indexDigest === told.digest)) return found;
    await clock.sleep(waitMs, signal);
    signal.throwIfAborted();
  }
  return look();
}

/** A registry that says when it wants to be asked again is not asked before. */
function unlessItMayPass(error: unknown): undefined {
  if (error instanceof EngineError && error.transient && error.retryAfterMs === undefined) return undefined;
  throw error;
}
