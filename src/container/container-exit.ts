import { EngineError } from '../model/engine-error.ts';
import { systemClock } from '../util/clock.ts';
import type { EngineApi } from './engine-api.ts';
import { type ContainerDetails, inspectContainer } from './engine-containers.ts';

const RECONCILE_EVERY_MS = 10_000;

/**
 * Waits for a started container's end and returns its exit code. The engine's answer to `wait` can get lost without an error, so the
 * container is looked at every ten seconds as well. Rejects when the connection breaks (the container may run on), or `signal` aborts.
 */
export async function exitCodeOf(api: EngineApi, id: string, signal?: AbortSignal): Promise<number> {
  const over = new AbortController();
  const either = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
  try {
    const reconciled = reconcile(api, id, either);
    reconciled.catch(() => undefined);
    return await Promise.race([waitCall(api, id, either), reconciled]);
  } finally {
    over.abort();
  }
}

async function waitCall(api: EngineApi, id: string, signal: AbortSignal): Promise<number> {
  // Podman looks every 250 ms unless it is told an interval; Docker takes no notice of one.
  const query = { condition: 'not-running', interval: '20ms' };
  // Docker begins its answer at once and ends it with the container: read as a stream, an answer that is cut short is noticed.
  const parts: Buffer[] = [];
  for await (const part of await api.stream({ method: 'POST', path: `/containers/${id}/wait`, query, signal })) parts.push(part as Buffer);
  const answer = JSON.parse(Buffer.concat(parts).toString() || '{}') as { readonly StatusCode?: number };
  if (typeof answer.StatusCode === 'number') return answer.StatusCode;
  throw new EngineError('engine-failed', 'the engine ended its answer without an exit code', { transient: true });
}

async function reconcile(api: EngineApi, id: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    await systemClock.sleep(RECONCILE_EVERY_MS, signal);
    signal.throwIfAborted();
    const details = await inspectContainer(api, id, AbortSignal.any([signal, AbortSignal.timeout(RECONCILE_EVERY_MS)])).catch(
      () => undefined,
    );
    if (details !== undefined && hasEnded(details)) return details.State.ExitCode;
  }
}

/** It ran and does not any more. */
export function hasEnded({ State }: ContainerDetails): boolean {
  return !State.Running && (State.Status === 'exited' || State.Status === 'stopped' || State.Status === 'dead');
}
