import { EngineError } from '../model/engine-error.ts';
import type { ContainerIo } from '../model/ports/container-engine.ts';
import { systemClock } from '../util/clock.ts';
import { isDeafToTerm } from './deaf-process.ts';
import type { EngineApi } from './engine-api.ts';
import { killContainer } from './engine-containers.ts';

const PATIENCE_AFTER_KILL_MS = 15_000;

/** On abort: SIGTERM, SIGKILL after the grace (at once where SIGTERM cannot be heard), and an error when the container survives even that. */
export function stopWhenAborted(
  api: EngineApi,
  id: string,
  io: Pick<ContainerIo, 'signal' | 'graceMs'>,
  ended: AbortSignal,
): { readonly failed: Promise<never>; sent(): boolean } {
  let sent = false;
  const failed = new Promise<never>((_, reject) => {
    const stop = async (): Promise<void> => {
      sent = true;
      const deaf = await isDeafToTerm(api, id).catch(() => false);
      if (!deaf) {
        await killContainer(api, id, 'SIGTERM');
        await systemClock.sleep(io.graceMs, ended);
      }
      if (ended.aborted) return;
      await killContainer(api, id, 'SIGKILL');
      await systemClock.sleep(PATIENCE_AFTER_KILL_MS, ended);
      if (!ended.aborted) reject(new EngineError('engine-failed', `The container engine could not kill container ${id}.`));
    };
    const onAbort = (): void => void stop().catch(reject);
    if (io.signal.aborted) onAbort();
    else io.signal.addEventListener('abort', onAbort, { once: true, signal: ended });
  });
  failed.catch(() => undefined);
  return { failed, sent: () => sent };
}
