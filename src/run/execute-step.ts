import type { PlanStep } from '../model/plan.ts';
import { runBuildStep } from './build-step.ts';
import { runCmdStep } from './cmd-step.ts';
import { describeStep } from './describe-step.ts';
import { runPushStep } from './push-step.ts';
import type { ResumedStep } from './restore.ts';
import type { RunContext, StepContext } from './step-context.ts';
import { resultOfError, type WorkResult } from './work-result.ts';

export interface StepEnd {
  readonly result: WorkResult;
  /** Containers, builds or pushes that were tried; at least 1. */
  readonly attempts: number;
  /** Ended containers that may go when the step's end is on record. */
  readonly ended: readonly string[];
}

export interface StepExecution {
  readonly run: RunContext;
  readonly signal: AbortSignal;
  /** It was running when an earlier attempt of the run was cut off. */
  readonly resumed: ResumedStep | undefined;
  /** Its work proper begins. */
  onRunning(): void;
}

/** Executes one step to its end. Never rejects. `ignoreErrors` is the caller's business. */
export async function executeStep(step: PlanStep, { run, signal, resumed, onRunning }: StepExecution): Promise<StepEnd> {
  const context: StepContext = {
    run,
    step,
    detail: describeStep(step, run.masker),
    // A command goes on with the attempt it was in; builds and pushes are done again, as the next.
    attempts: { last: resumed === undefined ? 0 : resumed.attempt - (step.kind === 'cmd' ? 1 : 0) },
    resumed,
    ended: [],
    engineLosses: 0,
    onRunning,
    onTransfer: (progress) => void run.emit({ type: 'transfer-progress', step: step.id, ...progress }),
  };
  if (resumed === undefined) await run.emit({ type: 'step-started', step: step.id, attempt: 1, detail: context.detail });
  if (step.kind !== 'cmd') onRunning();
  const result = await work(step, context, signal).catch((error: unknown) => resultOfError(error, signal));
  return { result, attempts: Math.max(1, context.attempts.last), ended: context.ended };
}

function work(step: PlanStep, context: StepContext, signal: AbortSignal): Promise<WorkResult> {
  switch (step.kind) {
    case 'cmd':
      return runCmdStep(step, context, signal);
    case 'build':
      return runBuildStep(step, context, signal);
    case 'push':
      return runPushStep(step, context, signal);
  }
}
