import { EngineError } from '../model/engine-error.ts';
import type { ContainerIo, ContainerOutcome } from '../model/ports/container-engine.ts';
import { systemClock } from '../util/clock.ts';
import { exitCodeOf } from './container-exit.ts';
import { type EngineApi, EngineRefusal, isDiskFull, toEngineError } from './engine-api.ts';
import { inspectContainer, startContainer } from './engine-containers.ts';
import { type OutputPump, pumpOutput } from './output-stream.ts';
import type { StartGate } from './start-gate.ts';
import { reasonOfRefusal } from './start-refusal.ts';
import { stopWhenAborted } from './stop-container.ts';

/** A created container, ready to start. */
export interface CreatedContainer {
  readonly id: string;
  readonly step: string;
  readonly tty: boolean;
  readonly detach: boolean;
}

/**
 * Starts a created container and follows it to its end (detached: until it has started).
 *
 * Attach is open before start, so no byte is missed. `wait` follows start with the condition `not-running`, which
 * answers at once for a container that has already ended: unlike `next-exit` it cannot come too late, and unlike
 * `removed` it needs no automatic removal, which would race with reading the outcome.
 */
export async function executeContainer(
  api: EngineApi,
  gate: StartGate,
  container: CreatedContainer,
  io: ContainerIo,
): Promise<ContainerOutcome> {
  const attached = container.detach ? undefined : await attach(api, container, io);
  if (attached !== undefined && 'exitCode' in attached) return attached;
  const pump = attached;
  try {
    const refused = await gate.pass(async () => {
      if (io.signal.aborted) return canceledOutcome(container.id);
      const told = io.onStarted?.(container.id);
      if (told !== undefined) await told;
      return await tryStart(api, container);
    });
    if (refused !== undefined) return refused;
    if (pump === undefined) return { exitCode: 0, containerId: container.id, canceled: false, outOfMemory: false };
    return await follow(api, container, io, pump);
  } finally {
    pump?.stop();
  }
}

export function canceledOutcome(containerId: string): ContainerOutcome {
  return { exitCode: 137, containerId, canceled: true, outOfMemory: false };
}

/** What docker's client makes of a refusal to create or start: exit code 127, 126 or 125, and why. */
export function startFailure(refusal: EngineRefusal | Error, containerId: string): ContainerOutcome {
  if (refusal instanceof EngineRefusal && isDiskFull(refusal.message)) throw toEngineError(refusal);
  const { message } = refusal;
  const notFound = /executable file.* not found|no such file or directory/i.test(message);
  const notExecutable = /permission denied|is a directory/i.test(message);
  const exitCode = notFound ? 127 : notExecutable ? 126 : 125;
  const reason = reasonOfRefusal(message);
  const words = reason === message ? {} : { engineWords: message };
  return { exitCode, containerId, canceled: false, outOfMemory: false, startFailure: reason, ...words };
}

/** Podman makes the container's processes ready when it attaches, so what cannot be started may show here. */
export async function attach(api: EngineApi, container: CreatedContainer, io: ContainerIo): Promise<OutputPump | ContainerOutcome> {
  const query = { stream: true, stdout: true, stderr: true };
  try {
    const socket = await api.hijack({ method: 'POST', path: `/containers/${container.id}/attach`, query });
    return pumpOutput(socket, container.tty, (stream, chunk) => io.onOutput(stream, chunk));
  } catch (error) {
    if (error instanceof EngineRefusal && /\b(OCI|runc|crun)\b/.test(error.message)) return startFailure(error, container.id);
    throw toEngineError(error, `Attaching to the container of step "${container.step}"`);
  }
}

export async function tryStart(api: EngineApi, { id, step }: CreatedContainer): Promise<ContainerOutcome | undefined> {
  try {
    await startContainer(api, id);
    return undefined;
  } catch (error) {
    if (error instanceof EngineRefusal) return startFailure(error, id);
    throw engineWentAway(step, error);
  }
}

/** Not an exit code of the step: an engine that stops or breaks takes along what it runs. */
export function engineWentAway(step: string, error: unknown): EngineError {
  const message = `The container engine went away while step "${step}" ran: ${(error as Error).message}`;
  return new EngineError('engine-failed', message, { cause: error, transient: true });
}

async function follow(api: EngineApi, container: CreatedContainer, io: ContainerIo, pump: OutputPump): Promise<ContainerOutcome> {
  const ended = new AbortController();
  const stopping = stopWhenAborted(api, container.id, io, ended.signal);
  try {
    const exit = waitForExit(api, container, pump);
    // A consumer that failed ends the step; otherwise only the container's end does.
    const exitCode = await Promise.race([exit, pump.done.then(() => exit), stopping.failed]);
    const canceled = stopping.sent() && io.signal.aborted;
    ended.abort();
    await pump.drain();
    const outOfMemory = exitCode !== 0 && !canceled && (await inspectContainer(api, container.id)).State.OOMKilled;
    return { exitCode, containerId: container.id, canceled, outOfMemory };
  } catch (error) {
    throw error instanceof EngineRefusal ? toEngineError(error, `Following step "${container.step}"`) : error;
  } finally {
    ended.abort();
  }
}

const PAUSE_BEFORE_WAITING_AGAIN_MS = 200;

/** Waits through broken connections as long as the engine, the container and its output are there. */
async function waitForExit(api: EngineApi, container: CreatedContainer, pump: OutputPump): Promise<number> {
  for (;;) {
    try {
      return await exitCodeOf(api, container.id);
    } catch (error) {
      const details = await inspectContainer(api, container.id).catch(() => undefined);
      if (details?.State.Running === true && pump.isOpen()) {
        await systemClock.sleep(PAUSE_BEFORE_WAITING_AGAIN_MS);
        continue;
      }
      throw engineWentAway(container.step, error);
    }
  }
}
