import type { EngineError } from '../model/engine-error.ts';
import type { ContainerIo, ContainerOutcome, EngineDescription } from '../model/ports/container-engine.ts';
import { systemClock } from '../util/clock.ts';
import { exitCodeOf, hasEnded } from './container-exit.ts';
import { DurableOutput, type Positions } from './durable-output.ts';
import { type EngineApi, EngineRefusal, isRefusal, toEngineError } from './engine-api.ts';
import { type ContainerDetails, inspectContainer } from './engine-containers.ts';
import { wasTakenAlong } from './engine-restart.ts';
import type { OutputPump } from './output-stream.ts';
import type { StartGate } from './start-gate.ts';
import { attach, type CreatedContainer, canceledOutcome, engineWentAway, tryStart } from './step-execution.ts';
import { stopWhenAborted } from './stop-container.ts';

export interface DurableParts {
  readonly api: EngineApi;
  readonly gate: StartGate;
  readonly kind: EngineDescription['kind'];
  /** Aborts when the run is let go of. */
  readonly detaching: AbortSignal;
}

const FROM_THE_START: Positions = { stdout: 0, stderr: 0 };

/**
 * As `executeContainer`, for a run that survives this process: the start waits until the container's id is on record, what a lost
 * connection cuts off is read from the engine's log, and the container can be let go of.
 */
export async function executeDurably(parts: DurableParts, container: CreatedContainer, io: ContainerIo): Promise<ContainerOutcome> {
  const { api, detaching } = parts;
  if (detaching.aborted) return detachedOutcome(container.id);
  const output = durableOutput(parts, container, FROM_THE_START, io);
  const attached = container.detach ? undefined : await attach(api, container, { ...io, onOutput: output.deliverAttached });
  if (attached !== undefined && 'exitCode' in attached) return attached;
  try {
    await io.onStarted?.(container.id);
    const refused = await startUnlessOver(parts, container, io);
    if (refused !== undefined) return refused;
    if (attached === undefined) return startedOutcome(container.id);
    return await follow(parts, container, io, output, attached);
  } finally {
    attached?.stop();
  }
}

/** An outcome when it did not start. */
async function startUnlessOver(
  { api, gate, detaching }: DurableParts,
  container: CreatedContainer,
  io: ContainerIo,
): Promise<ContainerOutcome | undefined> {
  return await gate.pass(async () => {
    if (detaching.aborted) return detachedOutcome(container.id);
    if (io.signal.aborted) return canceledOutcome(container.id);
    return await tryStart(api, container);
  });
}

/**
 * Starts a container that an earlier process made and, as far as is known, did not start. The start that it asked for may have come
 * meanwhile: the container is looked at once more, because one that has ended would run a second time. Output is read from the engine's log.
 */
export async function startAndAdopt(
  parts: DurableParts,
  container: CreatedContainer,
  positions: Positions,
  io: ContainerIo,
): Promise<ContainerOutcome> {
  await io.onStarted?.(container.id);
  const { State } = await inspectContainer(parts.api, container.id);
  const refused = isNotStarted(State.Status) ? await startUnlessOver(parts, container, io) : undefined;
  return refused ?? (await adoptContainer(parts, container, positions, { ...io, onStarted: () => undefined }));
}

function isNotStarted(status: string): boolean {
  // Podman says `initialized` where Docker says `created`, and `configured` before that.
  return ['created', 'configured', 'initialized'].includes(status.toLowerCase());
}

/** Follows a container that another attempt started: its output after `positions`, and its end, also when that has come already. */
export async function adoptContainer(
  parts: DurableParts,
  container: CreatedContainer,
  positions: Positions,
  io: ContainerIo,
): Promise<ContainerOutcome> {
  await io.onStarted?.(container.id);
  if (container.detach) return startedOutcome(container.id);
  const outcome = await follow(parts, container, io, durableOutput(parts, container, positions, io), undefined);
  const looksKilled = outcome.exitCode !== 0 && !outcome.canceled && outcome.detached !== true && parts.kind === 'docker';
  if (looksKilled && (await wasTakenAlong(parts.api, await inspectContainer(parts.api, container.id))))
    throw engineWentAway(container.step, new Error('it was started anew while nobody watched'));
  return outcome;
}

export function goneOutcome(): ContainerOutcome {
  return { exitCode: 0, containerId: '', canceled: false, outOfMemory: false, gone: true };
}

function startedOutcome(containerId: string): ContainerOutcome {
  return { exitCode: 0, containerId, canceled: false, outOfMemory: false };
}

function detachedOutcome(containerId: string): ContainerOutcome {
  return { exitCode: 0, containerId, canceled: false, outOfMemory: false, detached: true };
}

function durableOutput({ api, kind }: DurableParts, container: CreatedContainer, from: Positions, io: ContainerIo): DurableOutput {
  return new DurableOutput({ api, kind, container, from, deliver: (stream, chunk) => io.onOutput(stream, chunk) });
}

async function follow(
  { api, detaching }: DurableParts,
  container: CreatedContainer,
  io: ContainerIo,
  output: DurableOutput,
  pump: OutputPump | undefined,
): Promise<ContainerOutcome> {
  const ended = new AbortController();
  const stopping = stopWhenAborted(api, container.id, io, AbortSignal.any([ended.signal, detaching]));
  const letGo = whenAborted(detaching, ended.signal);
  output.follow(pump);
  try {
    const end = awaitEnd(api, container, ended.signal);
    end.catch(() => undefined);
    const exit = await Promise.race([end, output.failed, stopping.failed, letGo]);
    if (exit === undefined) {
      await output.stop();
      return detachedOutcome(container.id);
    }
    const canceled = stopping.sent() && io.signal.aborted;
    ended.abort();
    await Promise.race([output.finish(), output.failed]);
    if ('lost' in exit) throw exit.lost;
    const outOfMemory = exit.exitCode !== 0 && !canceled && (await inspectContainer(api, container.id)).State.OOMKilled;
    const missing = output.isMissing ? { outputMissing: true as const } : {};
    return { exitCode: exit.exitCode, containerId: container.id, canceled, outOfMemory, ...missing };
  } catch (error) {
    throw error instanceof EngineRefusal ? toEngineError(error, `Following step "${container.step}"`) : error;
  } finally {
    ended.abort();
    await output.stop();
  }
}

/** How a container ended: by itself, or together with its engine, which is not the step's doing. */
type End = { readonly exitCode: number } | { readonly lost: EngineError };

const PAUSE_BEFORE_LOOKING_AGAIN_MS = 200;
/** An engine that restarts is waited for so long. */
const ENGINE_RESTART_LIMIT_MS = 60_000;

/** Waits through broken connections and restarts of the engine as long as the container is there. */
async function awaitEnd(api: EngineApi, container: CreatedContainer, over: AbortSignal): Promise<End> {
  for (;;) {
    try {
      return { exitCode: await exitCodeOf(api, container.id, over) };
    } catch (error) {
      const lostAt = Date.now();
      const { details, wasDown } = await inspectPatiently(api, container, error, over);
      if (hasEnded(details)) {
        if (!wasDown || (await endedByItself(api, details, lostAt))) return { exitCode: details.State.ExitCode };
        return { lost: engineWentAway(container.step, error) };
      }
      await systemClock.sleep(PAUSE_BEFORE_LOOKING_AGAIN_MS, over);
    }
  }
}

/** What the container is once the engine answers again, and whether the engine had not answered in between. */
async function inspectPatiently(
  api: EngineApi,
  container: CreatedContainer,
  cause: unknown,
  over: AbortSignal,
): Promise<{ readonly details: ContainerDetails; readonly wasDown: boolean }> {
  const since = systemClock.monotonicMs();
  for (let wasDown = false; ; wasDown = true) {
    try {
      return { details: await inspectContainer(api, container.id), wasDown };
    } catch (error) {
      const tooLong = systemClock.monotonicMs() - since > ENGINE_RESTART_LIMIT_MS;
      if (over.aborted || tooLong || isRefusal(error, 404)) throw engineWentAway(container.step, cause);
      await systemClock.sleep(PAUSE_BEFORE_LOOKING_AGAIN_MS, over);
    }
  }
}

/**
 * An engine with live-restore leaves containers alone when it restarts; any other takes them along, with an exit code that looks as if
 * the step had failed. Only what ended before the engine was lost has an end of its own then.
 */
async function endedByItself(api: EngineApi, { State }: ContainerDetails, lostAt: number): Promise<boolean> {
  const info = await api.json<{ LiveRestoreEnabled?: boolean }>({ method: 'GET', path: '/info' });
  return info.LiveRestoreEnabled === true || Date.parse(State.FinishedAt ?? '') < lostAt;
}

function whenAborted(signal: AbortSignal, over: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true, signal: over });
  });
}
