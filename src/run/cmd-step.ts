import { EngineError } from '../model/engine-error.ts';
import type { PlanCmdStep } from '../model/plan.ts';
import type { ContainerOutcome } from '../model/ports/container-engine.ts';
import { withDeadline } from './deadline.ts';
import { pullExplicitly } from './explicit-pull.ts';
import { OutputMatch } from './output-match.ts';
import { repeatWork } from './repeat.ts';
import { type Attempt, retryAttempts } from './retry.ts';
import { beginAttempt, type StepContext } from './step-context.ts';
import { withAdmittedImage } from './step-image.ts';
import { createStepOutput } from './step-output.ts';
import { FROM_THE_START, type Positions, readFrom } from './tapped-output.ts';
import { CANCELED, resultOfError, type WorkResult } from './work-result.ts';

/** The note that a run makes when the output of a step has a gap; whoever keeps the output marks it there too. */
export const OUTPUT_MISSING = 'output of this step is missing: the engine has no longer all that it kept while nobody was reading';

/** Explicit pull, then within the step's timeout: repeat(retry(one container)). A resumed step begins with the attempt it was in. */
export async function runCmdStep(step: PlanCmdStep, context: StepContext, signal: AbortSignal): Promise<WorkResult> {
  const { clock, emit } = context.run;
  const { resumed } = context;
  if (resumed?.container === undefined) {
    const pulled = await pullExplicitly(await withAdmittedImage(step, context, signal), context, signal);
    if (pulled.status !== 'succeeded') return pulled;
  }
  let { retried, repeated } = await progressOf(step, context);
  const work = (limited: AbortSignal): Promise<WorkResult> =>
    repeatWork(step.repeat - repeated, limited, () => {
      const onRetry = (because: string, delayMs: number) =>
        emit({ type: 'step-retrying', step: step.id, attempt: context.attempts.last, delayMs, because });
      const used = retried;
      retried = 0;
      return retryAttempts(step, { clock, signal: limited, onRetry }, () => attemptOnce(step, context, limited), used);
    });
  return withDeadline(step.timeoutMs, 'the command', { clock, signal }, work, resumed?.spentMs);
}

/** How many retries and repetitions a resumed step has behind it. How earlier repetitions ended is not on record. */
async function progressOf(step: PlanCmdStep, { run, resumed }: StepContext): Promise<{ retried: number; repeated: number }> {
  if (resumed === undefined) return { retried: 0, repeated: 0 };
  const before = resumed.attempt - 1;
  if (step.repeat === 0) return { retried: before, repeated: 0 };
  if (before > 0) {
    const message = 'how its repetitions ended before the run was taken over is not known; those from now on count';
    await run.emit({ type: 'note', level: 'warning', step: step.id, message });
  }
  const again = new Set(resumed.retried);
  let retried = 0;
  while (again.has(before - retried)) retried += 1;
  return { retried, repeated: Math.min(step.repeat, before - again.size) };
}

/** One attempt; once a step it is made again at no cost when the engine took the container along, where that is wanted. */
async function attemptOnce(step: PlanCmdStep, context: StepContext, signal: AbortSignal): Promise<Attempt> {
  const first = await runAttempt(step, context, signal);
  const { run } = context;
  if (first.engineLost !== true || !run.retryOnEngineLoss || context.engineLosses > 0 || !('because' in first.result)) return first;
  context.engineLosses += 1;
  await run.emit({ type: 'step-retrying', step: step.id, attempt: context.attempts.last, delayMs: 0, because: first.result.because });
  return await runAttempt(step, context, signal);
}

interface CmdAttempt extends Attempt {
  /** The engine went away and took the container along. */
  readonly engineLost?: boolean;
}

async function runAttempt(step: PlanCmdStep, context: StepContext, signal: AbortSignal): Promise<CmdAttempt> {
  const { resumed } = context;
  if (resumed === undefined || context.attempts.last >= resumed.attempt) {
    if (signal.aborted) return { result: CANCELED, retryable: false };
    return await runContainer(step, context, signal, undefined);
  }
  // The attempt that was running: it has been announced, and its container may be there, also to be stopped.
  context.attempts.last = resumed.attempt;
  const adopted = await runContainer(step, context, signal, resumed.delivered);
  if (!adopted.gone) return adopted;
  if (resumed.container !== undefined) {
    const because = 'its container is gone; it was running when the process that ran it ended';
    return { result: { status: 'errored', because, errorCode: 'agent-lost' }, retryable: false };
  }
  if (signal.aborted) return { result: CANCELED, retryable: false };
  return await runContainer(step, context, signal, undefined, resumed.attempt);
}

/** `delivered`: adopts the container of the present attempt. `announced`: the number of an attempt that was announced and did not begin. */
async function runContainer(
  step: PlanCmdStep,
  context: StepContext,
  signal: AbortSignal,
  delivered: Positions | undefined,
  announced?: number,
): Promise<CmdAttempt & { readonly gone: boolean }> {
  const { run } = context;
  const attempt = delivered === undefined && announced === undefined ? await beginAttempt(context) : context.attempts.last;
  const match = new OutputMatch(step.retryOnErrors);
  // What decides about a retry may have been said before: then all of the output is looked at again.
  const from = delivered === undefined || step.retryOnErrors.length > 0 ? FROM_THE_START : readFrom(delivered, run.masker);
  const resume = { delivered: delivered ?? FROM_THE_START, from };
  const output = createStepOutput({ step: step.id, attempt, ...run, resume });
  const { detach, keep } = step;
  const adopt = delivered === undefined ? {} : { adopt: { positions: from } };
  const onOutput = (stream: 'stdout' | 'stderr', chunk: Uint8Array): void | Promise<void> => {
    match.push(stream, chunk);
    return output.write(stream, chunk);
  };
  const io = { signal, graceMs: run.graceMs, onOutput, onStarted: startedBy(step, context, attempt), onTransfer: context.onTransfer };
  try {
    const container = run.containerOf(delivered === undefined ? await withAdmittedImage(step, context, signal) : step);
    const outcome = await run.space.runContainer({ step: step.id, attempt, container, detach, keep, ...adopt }, io);
    if (outcome.gone === true) return { result: CANCELED, retryable: false, gone: true };
    // What the masker holds back stays in the engine's log.
    if (outcome.detached === true) return { result: CANCELED, retryable: false, gone: false };
    if (outcome.outputMissing === true) {
      await run.emit({ type: 'note', level: 'warning', step: step.id, message: OUTPUT_MISSING });
    }
    if (run.isDurable && !keep && !detach) context.ended.push(outcome.containerId);
    // For the log, and for `retryOnErrors`: docker's client would have printed it.
    if (outcome.engineWords !== undefined) await onOutput('stderr', Buffer.from(`${outcome.engineWords}\n`));
    await output.close();
    return { ...concluded(step, match, resultOfContainer(outcome)), gone: false };
  } catch (error) {
    await output.close();
    const result = resultOfError(error, signal);
    const engineLost = result.status === 'errored' && error instanceof EngineError && error.code === 'engine-failed' && error.transient;
    return { ...concluded(step, match, result), engineLost, gone: false };
  }
}

/** In a run that survives this process the container's id is on record before it starts. */
function startedBy(step: PlanCmdStep, context: StepContext, attempt: number): (containerId: string) => void | Promise<void> {
  const { run, resumed } = context;
  if (!run.isDurable) return () => context.onRunning();
  return async (container) => {
    const isKnown = resumed?.container === container && resumed.attempt === attempt;
    if (!isKnown) await run.emit({ type: 'container-created', step: step.id, attempt, container });
    context.onRunning();
  };
}

function concluded(step: PlanCmdStep, match: OutputMatch, result: WorkResult): Attempt {
  // What the engine said counts like output: docker's client would have printed it.
  if ('because' in result) match.push('stderr', Buffer.from(result.because));
  return { result, retryable: step.retryOnErrors.length === 0 || match.matched };
}

function resultOfContainer(outcome: ContainerOutcome): WorkResult {
  const { exitCode } = outcome;
  if (outcome.canceled) return CANCELED;
  if (outcome.startFailure !== undefined) {
    return { status: 'failed', because: `the container could not start: ${outcome.startFailure}`, exitCode, timedOut: false };
  }
  if (exitCode === 0) return { status: 'succeeded', exitCode };
  const why = outcome.outOfMemory ? `ran out of memory and was killed (exit code ${exitCode})` : `exited with code ${exitCode}`;
  return { status: 'failed', because: `the command ${why}`, exitCode, timedOut: false };
}
