import type { Logger } from 'pino';
import type { Clock } from '../../model/ports/clock.ts';
import { exponentialBackoffMs } from '../../util/backoff.ts';
import type { DaemonTriggers } from './compose-triggers.ts';

const WAITS = { firstMs: 500, longestMs: 30_000 };

/**
 * Starts what starts runs by itself, beside a daemon that answers already. When the store fails it is tried again until it works or `signal`
 * aborts; deliveries are kept meanwhile. Resolves when that is done; never rejects.
 */
export async function startTriggers(
  triggers: Pick<DaemonTriggers, 'start'>,
  { clock, logger, signal }: { readonly clock: Clock; readonly logger: Pick<Logger, 'error' | 'info'>; readonly signal: AbortSignal },
): Promise<void> {
  for (let tries = 0; !signal.aborted; tries += 1) {
    try {
      await triggers.start();
      logger.info('triggers are followed');
      return;
    } catch (error) {
      if (signal.aborted) return;
      logger.error({ err: error }, 'the triggers could not start, and are started again');
      await clock.sleep(exponentialBackoffMs(tries, WAITS), signal);
    }
  }
}
