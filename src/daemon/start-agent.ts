import type { Logger } from 'pino';
import type { Agent } from '../agent/agent-options.ts';
import type { Clock } from '../model/ports/clock.ts';
import { exponentialBackoffMs } from '../util/backoff.ts';

const WAITS = { firstMs: 500, longestMs: 30_000 };

/**
 * Starts the built-in agent. It needs no engine, but the store: when that cannot be written (a full disk) the start is tried again in the
 * background until it works or `signal` aborts, and the runs wait. Resolves after the first try; never rejects.
 */
export async function startAgent(
  agent: Pick<Agent, 'start'>,
  { clock, logger, signal }: { readonly clock: Clock; readonly logger: Pick<Logger, 'error' | 'info'>; readonly signal: AbortSignal },
): Promise<void> {
  const start = (): Promise<boolean> =>
    agent.start(signal).then(
      () => true,
      (error: unknown) => {
        logger.error({ err: error }, 'the built-in agent could not start, and is started again');
        return false;
      },
    );
  const startAgain = async (): Promise<void> => {
    for (let tries = 0; ; tries += 1) {
      await clock.sleep(exponentialBackoffMs(tries, WAITS), signal);
      if (signal.aborted) return;
      if (await start()) {
        logger.info('the built-in agent has started');
        return;
      }
    }
  };
  if (!(await start())) void startAgain();
}
