import type { PlanStep } from '../model/plan.ts';
import { runBuildStep } from './build-step.ts';
import { runCmdStep } from './cmd-step.ts';
import { describeStep } from './describe-step.ts';
import { runPushStep } from './push-step.ts';
import type { RunContext, StepContext } from './step-context.ts';
import { resultOfError, type WorkResult } from './work-result.ts';

export interface StepEnd {
  readonly result: WorkResult;
  /** Containers, builds or pushes that were tried; at least 1. */
  readonly attempts: number;
}

/** Executes one step to its end. Never rejects. `ignoreErrors` is the caller's business. `onRunning`: its work proper begins. */
export async function executeStep(step: PlanStep, run: RunContext, signal: AbortSignal, onRunning: () => void): Promise<StepEnd> {
  const context: StepContext = {
    run,
    step,
    detail: describeStep(step, run.masker),
    attempts: { last: 0 },
    onRunning,
    onTransfer: (progress) => void run.emit({ type: 'transfer-progress', step: step.id, ...progress }),
  };
  await run.emit({ type: 'step-started', step: step.id, attempt: 1, detail: context.detail });
  if (step.kind !== 'cmd') onRunning();
  const result = await work(step, context, signal).catch((error: unknown) => resultOfError(error, signal));
  return { result, attempts: Math.max(1, context.attempts.last) };
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
