import type { PlanCmdStep } from '../model/plan.ts';
import type { ContainerOutcome } from '../model/ports/container-engine.ts';
import { withDeadline } from './deadline.ts';
import { pullExplicitly } from './explicit-pull.ts';
import { OutputMatch } from './output-match.ts';
import { repeatWork } from './repeat.ts';
import { type Attempt, retryAttempts } from './retry.ts';
import { beginAttempt, type StepContext } from './step-context.ts';
import { createStepOutput } from './step-output.ts';
import { CANCELED, resultOfError, type WorkResult } from './work-result.ts';

/** Explicit pull, then within the step's timeout: repeat(retry(one container)). */
export async function runCmdStep(step: PlanCmdStep, context: StepContext, signal: AbortSignal): Promise<WorkResult> {
  const pulled = await pullExplicitly(step, context, signal);
  if (pulled.status !== 'succeeded') return pulled;
  const { clock, emit } = context.run;
  return withDeadline(step.timeoutMs, 'the command', { clock, signal }, (limited) =>
    repeatWork(step.repeat, limited, () => {
      const onRetry = (because: string, delayMs: number) =>
        emit({ type: 'step-retrying', step: step.id, attempt: context.attempts.last, delayMs, because });
      return retryAttempts(step, { clock, signal: limited, onRetry }, () => runAttempt(step, context, limited));
    }),
  );
}

async function runAttempt(step: PlanCmdStep, context: StepContext, signal: AbortSignal): Promise<Attempt> {
  if (signal.aborted) return { result: CANCELED, retryable: false };
  const attempt = await beginAttempt(context);
  const { run } = context;
  const match = new OutputMatch(step.retryOnErrors);
  const output = createStepOutput({ step: step.id, attempt, ...run });
  const { detach, keep } = step;
  const request = { step: step.id, attempt, container: run.containerOf(step), detach, keep };
  const onOutput = (stream: 'stdout' | 'stderr', chunk: Uint8Array): void | Promise<void> => {
    match.push(stream, chunk);
    return output.write(stream, chunk);
  };
  const result = await run.space
    .runContainer(request, { signal, graceMs: run.graceMs, onOutput, onStarted: context.onRunning, onTransfer: context.onTransfer })
    .then(
      async (outcome) => {
        // For the log, and for `retryOnErrors`: docker's client would have printed it.
        if (outcome.engineWords !== undefined) await onOutput('stderr', Buffer.from(`${outcome.engineWords}\n`));
        return resultOfContainer(outcome);
      },
      (error: unknown) => resultOfError(error, signal),
    );
  await output.close();
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
