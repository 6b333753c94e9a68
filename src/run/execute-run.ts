import { EngineError } from '../model/engine-error.ts';
import type { Plan } from '../model/plan.ts';
import type { EngineDescription, RunSpace } from '../model/ports/container-engine.ts';
import type { RunFact } from '../model/run-event.ts';
import type { StepState } from '../model/step-state.ts';
import { Cleanup, graceOf, whenAborted } from './cleanup.ts';
import { criticalPathMs } from './critical-path.ts';
import { createEventLog, type EventLog } from './event-log.ts';
import { imageDependencies } from './image-dependencies.ts';
import { decideNetworking, type RunNetworking } from './network-lanes.ts';
import { SHORT_PATIENCE } from './push-patience.ts';
import { restoredEndings, restoreFacts, resumedSteps } from './restore.ts';
import { createRunFacts, type RunFacts } from './run-facts.ts';
import { RunInterrupt } from './run-interrupt.ts';
import type { OutputTap, RunDependencies, RunOptions, RunResult } from './run-options.ts';
import { statusOf } from './run-status.ts';
import { createSchedule, type Schedule } from './schedule.ts';
import { createSlots } from './slots.ts';
import type { RunContext } from './step-context.ts';
import { buildsBeforeAllCommands } from './step-order.ts';
import { type StepFailure, StepRunner } from './step-runner.ts';

/** One run in the making: what its phases share. */
interface Run {
  readonly plan: Plan;
  readonly deps: RunDependencies;
  readonly options: RunOptions;
  readonly interrupt: RunInterrupt;
  readonly log: EventLog;
  readonly facts: RunFacts;
}

/** How the steps ended. */
interface StepsOutcome {
  readonly states: ReadonlyMap<string, StepState>;
  readonly failure: StepFailure | undefined;
  /** The run was let go of before they ended. */
  readonly suspended?: boolean;
}

/**
 * Executes a plan to its end. Resolves with how it went, never rejects for what steps, the engine or registries do: those are
 * outcomes. Events begin with `run-started` and end with `run-finished`; every step has one `step-finished`. When it resolves,
 * everything of the run has been removed, or is named in a note. A run that is resumed does not begin again: events go on after the
 * last one. One that is suspended has no `run-finished`, and everything of it stays.
 */
export async function executeRun(plan: Plan, deps: RunDependencies, options: RunOptions): Promise<RunResult> {
  const { clock } = deps;
  const { resume } = options;
  const startedAtMs = clock.monotonicMs() - (resume?.elapsedMs ?? 0);
  const interrupt = new RunInterrupt();
  const onBroken = (error: unknown): void =>
    interrupt.raise({ kind: 'broken', ...describeError('the events of the run could not be delivered', error) });
  const log = createEventLog({ runId: options.runId, clock, masker: deps.masker, sink: deps.emit, onBroken, lastEvent: resume?.lastEvent });
  const run: Run = { plan: withEdgeConditions(plan, options.extended), deps, options, interrupt, log, facts: createRunFacts() };
  restoreFacts(run.facts, resume?.facts ?? []);
  const cleanup = new Cleanup({ clock, interrupt, deadlineMs: options.cleanupDeadlineMs, hurry: options.cleanupSignal });
  const stopWatching = watchForEnd(run);
  try {
    const engine = await describeEngine(run, resume === undefined ? interrupt.signal : cleanup.signal);
    await log.emit(resume === undefined ? startedFact(plan, engine) : takenOver());
    const steps = await runSteps(run, engine, cleanup, stopWatching);
    if (steps.suspended === true) return await leaveRun(run, steps, clock.monotonicMs() - startedAtMs);
    return await finishRun(run, steps, clock.monotonicMs() - startedAtMs);
  } finally {
    stopWatching();
    cleanup.end();
  }
}

/** At the start of a machine the engine may come later than whoever takes over its runs. */
const ENGINE_START_LIMIT_MS = 60_000;
const ENGINE_START_PAUSE_MS = 500;

/** The engine, or undefined when the run has been interrupted: for the lack of it, or (`over`) while it did not answer. */
async function describeEngine(run: Run, over: AbortSignal, tries = 0): Promise<EngineDescription | undefined> {
  const { deps, options, interrupt } = run;
  try {
    return await Promise.race([deps.engine.describe(), whenAborted(over).then(() => undefined)]);
  } catch (error) {
    const mayCome = options.resume !== undefined && error instanceof EngineError && error.transient;
    if (mayCome && tries * ENGINE_START_PAUSE_MS < ENGINE_START_LIMIT_MS) {
      await deps.clock.sleep(ENGINE_START_PAUSE_MS, over);
      return await describeEngine(run, over, tries + 1);
    }
    interrupt.raise({ kind: 'broken', ...describeError('the container engine cannot be used', error) });
    return undefined;
  }
}

/**
 * Opens the space, runs the steps in it, and always destroys it, once. Without a space every step is skipped. `onSettled` is called before
 * the clean-up: canceling it changes no outcome.
 */
async function runSteps(run: Run, engine: EngineDescription | undefined, cleanup: Cleanup, onSettled: () => void): Promise<StepsOutcome> {
  const networking = decideNetworking(run.plan);
  const schedule = createSchedule(run.plan.steps, run.options);
  const { parallel, buildParallel = engine?.cpus ?? 1 } = run.options;
  const slots = createSlots({ parallel, buildParallel });
  // What an earlier attempt started has to be stopped and removed even if the run has been interrupted.
  const isNeeded = run.options.resume !== undefined || !run.interrupt.signal.aborted;
  const space = engine !== undefined && isNeeded ? await openSpace(run, networking) : undefined;
  if (engine === undefined || space === undefined) return skipSteps(run, schedule);
  const context = createContext(run, space, networking, engine);
  const { resume, suspend } = run.options;
  const runner = new StepRunner({ steps: run.plan.steps, schedule, slots, interrupt: run.interrupt, run: context, resume });
  let isLeft = false;
  try {
    const settled = cleanup.settle(runner.run());
    const outcome = await (suspend === undefined ? settled : Promise.race([settled, whenAborted(suspend).then(() => 'suspend' as const)]));
    isLeft = outcome === 'suspend' || (outcome && (await isLeftUnrecorded(run)));
    if (outcome === false) runner.abandon();
  } finally {
    onSettled();
    await (isLeft ? letGo(space, runner) : cleanup.destroy(space, run.log.emit));
  }
  return isLeft ? { states: runner.states, failure: runner.failure, suspended: true } : runner;
}

/**
 * Containers tell how steps ended until that is on record, so a run that survives its process keeps them until then. Resolves true when it
 * was let go of before (the disk of the store is full, say): a later attempt learns from them. Of a canceled run nothing is left to learn.
 */
async function isLeftUnrecorded({ options, log }: Run): Promise<boolean> {
  const { durableLogs, suspend, signal } = options;
  if (!durableLogs || signal.aborted) return false;
  const hurry = AbortSignal.any(suspend === undefined ? [signal] : [suspend, signal]);
  const isRecorded = await Promise.race([log.drained().then(() => true), whenAborted(hurry).then(() => false)]);
  return !isRecorded && !signal.aborted;
}

/** Everything stays as it is in the engine; output so far has been delivered. */
async function letGo(space: RunSpace, runner: StepRunner): Promise<void> {
  runner.suspend();
  await space.detach();
  runner.letGo();
}

async function openSpace({ deps, options, plan, interrupt }: Run, networking: RunNetworking): Promise<RunSpace | undefined> {
  const { workspace, dockerSocket, credentials, durableLogs, insecureRegistries, owner, limits, init = durableLogs } = options;
  const { noPush, isolation } = options;
  const { networks } = networking;
  // With nothing left to run, what is there is only removed.
  const lanes = hasSteps(plan, options.resume) ? networking.lanes : [];
  const runId = options.spaceId ?? options.runId;
  try {
    const parts = { runId, networks, lanes, volumes: plan.volumes, workspace, dockerSocket, credentials, durableLogs, insecureRegistries };
    return await deps.engine.openRun({
      ...parts,
      ...(owner === undefined ? {} : { owner }),
      ...(options.resume === undefined ? {} : { adopt: true }),
      ...(init ? { init } : {}),
      ...(limits === undefined ? {} : { limits }),
      ...(noPush ? { noPush } : {}),
      ...(isolation === undefined ? {} : { isolation }),
    });
  } catch (error) {
    interrupt.raise({ kind: 'broken', ...describeError('the run could not be set up', error) });
    return undefined;
  }
}

function hasSteps(plan: Plan, resume: RunOptions['resume']): boolean {
  const isOver = ({ id }: Plan['steps'][number]): boolean => !['pending', 'running'].includes(resume?.states[id]?.status ?? 'pending');
  return !plan.steps.every(isOver);
}

/** Without a space no step starts, and what an earlier attempt of the run started cannot be followed. */
function skipSteps({ plan, options, interrupt, log }: Run, schedule: Schedule): StepsOutcome {
  const restored = options.resume?.states ?? {};
  const states = new Map<string, StepState>(Object.entries(restored));
  const { skipped } = schedule.restore(restoredEndings(plan.steps, restored));
  for (const [id, { attempt, spentMs }] of resumedSteps(options.resume)) {
    const because = interrupt.reason?.because ?? 'the run ended';
    const errored = { status: 'errored', attempts: attempt, durationMs: spentMs, because, errorCode: 'agent-lost' } as const;
    states.set(id, errored);
    void log.emit({ type: 'step-finished', step: id, ...errored });
  }
  for (const { id, because } of [...skipped, ...schedule.stop(interrupt.reason?.because ?? 'the run ended')]) {
    states.set(id, { status: 'skipped', because });
    void log.emit({ type: 'step-finished', step: id, status: 'skipped', attempts: 0, durationMs: 0, because });
  }
  return { states, failure: undefined };
}

function createContext(run: Run, space: RunSpace, networking: RunNetworking, engine: EngineDescription): RunContext {
  const { deps, options, log, facts, interrupt } = run;
  const { inputs, registry, clock, masker, random = Math.random } = deps;
  const { noPush, secrets, workspace } = options;
  const readsSeed = buildsBeforeAllCommands(run.plan.steps);
  return {
    ...{ space, inputs, registry, clock, masker, random, noPush, secrets, facts },
    tap: deps.output === undefined ? undefined : guardedTap(deps.output, interrupt),
    isDurable: options.durableLogs,
    retryOnEngineLoss: options.retryOnEngineLoss ?? false,
    pushPatience: options.pushPatience ?? SHORT_PATIENCE,
    emit: log.emit,
    graceMs: graceOf(options.cleanupDeadlineMs),
    platform: { fallback: `${engine.os}/${engine.architecture}`, asked: options.platform },
    workspaceOf: (step) =>
      workspace.kind === 'volume' && readsSeed.has(step.id)
        ? { kind: 'directory', path: workspace.seed }
        : { kind: 'workspace', readFile: (path) => space.readWorkspaceFile(path) },
    containerOf: networking.containerOf,
  };
}

/** A taker of output that fails ends the run. */
function guardedTap(tap: OutputTap, interrupt: RunInterrupt): OutputTap {
  const fail = (error: unknown): void =>
    interrupt.raise({ kind: 'broken', ...describeError('the output of the run could not be delivered', error) });
  return (chunk) => {
    try {
      return tap(chunk)?.catch(fail);
    } catch (error) {
      return fail(error);
    }
  };
}

/** What is known of a run that goes on without this process. */
async function leaveRun({ log }: Run, steps: StepsOutcome, durationMs: number): Promise<RunResult> {
  log.close();
  await log.drained();
  const nothing = { criticalPathMs: 0, images: [], built: [], baseImages: [], dependencies: [] };
  return { status: 'Canceled', durationMs, ...nothing, steps: steps.states, suspended: true };
}

async function finishRun(run: Run, steps: StepsOutcome, durationMs: number): Promise<RunResult> {
  const { plan, deps, log, facts, interrupt } = run;
  const pushes = Map.groupBy(facts.pushed, (image) => image.step);
  const images = plan.steps.flatMap((step) => pushes.get(step.id) ?? []);
  const built = plan.steps.flatMap((step) => facts.built.get(step.id) ?? []);
  const baseImages = plan.steps.flatMap((step) =>
    (facts.inputs.get(step.id)?.baseImages ?? []).map((image) => ({ ...image, step: step.id })),
  );
  const repoDigests = async (reference: string): Promise<readonly string[]> => {
    // What the engine has under a tag is not of a run that is kept apart.
    if (run.options.isolation !== undefined) return [];
    try {
      return (await deps.engine.findImage(reference))?.repoDigests ?? [];
    } catch (error) {
      void log.emit({ type: 'note', level: 'warning', message: describeError(`the digest of ${reference} is not known`, error).because });
      return [];
    }
  };
  const finished = {
    ...statusOf(interrupt.reason, steps.failure, steps.states.values()),
    durationMs,
    criticalPathMs: criticalPathMs(plan.steps, steps.states),
    images,
    built,
    baseImages,
    dependencies: await imageDependencies(plan.steps, facts, repoDigests),
  };
  void log.emit({ type: 'run-finished', ...finished });
  log.close();
  await log.drained();
  return { ...finished, steps: steps.states, suspended: false };
}

/** Interrupts the run when the caller cancels it or its time is up. Returns how to stop watching. */
function watchForEnd({ deps, options, interrupt }: Run): () => void {
  const over = new AbortController();
  const { signal, runTimeoutMs } = options;
  const cancel = (): void => interrupt.raise({ kind: 'canceled', because: 'the run was canceled' });
  if (signal.aborted) cancel();
  else signal.addEventListener('abort', cancel, { once: true, signal: over.signal });
  if (runTimeoutMs !== undefined) {
    void deps.clock.sleep(Math.max(0, runTimeoutMs - (options.resume?.elapsedMs ?? 0)), over.signal).then(() => {
      if (!over.signal.aborted)
        interrupt.raise({ kind: 'timeout', because: `the run did not end within ${runTimeoutMs / 1000} s: timed out` });
    });
  }
  return () => over.abort();
}

function describeError(what: string, error: unknown): { readonly because: string; readonly errorCode: EngineError['code'] } {
  const text = error instanceof Error ? error.message : String(error);
  return { because: `${what}: ${text}`, errorCode: error instanceof EngineError ? error.code : 'internal' };
}

function startedFact(plan: Plan, engine: EngineDescription | undefined): RunFact {
  const { taskName: task, registry, steps } = plan;
  return { type: 'run-started', task, registry, engine: engineName(engine), steps: steps.map(stepShape) };
}

function takenOver(): RunFact {
  return { type: 'note', level: 'info', message: 'the run was taken over: steps that were running go on' };
}

function engineName(engine: EngineDescription | undefined): string {
  return engine === undefined ? '' : `${engine.kind} ${engine.version} at ${engine.endpoint}`;
}

function stepShape({ id, kind, needs }: Plan['steps'][number]) {
  return { id, kind, needs };
}

function withEdgeConditions(plan: Plan, extended: boolean): Plan {
  if (extended) return plan;
  return { ...plan, steps: plan.steps.map(({ edgeCondition: _, ...step }) => step) };
}
