import type { ContainerSpec, PlanCmdStep, PlanStep } from '../model/plan.ts';
import type { BuildInputs, BuildInputsRequest } from '../model/ports/build-inputs.ts';
import type { Clock } from '../model/ports/clock.ts';
import type { RunSpace, TransferProgress } from '../model/ports/container-engine.ts';
import type { Registry } from '../model/ports/registry.ts';
import type { Masker } from '../util/masker.ts';
import type { EventLog } from './event-log.ts';
import type { PushPatience } from './push-patience.ts';
import type { ResumedStep } from './restore.ts';
import type { RunFacts } from './run-facts.ts';
import type { OutputTap } from './run-options.ts';

/** What the steps of one run share. */
export interface RunContext {
  readonly space: RunSpace;
  readonly inputs: BuildInputs;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly masker: Masker;
  readonly emit: EventLog['emit'];
  readonly facts: RunFacts;
  readonly graceMs: number;
  readonly noPush: boolean;
  /** `os/arch[/variant]` that builds are for when they name none. */
  readonly platform: { readonly fallback: string; readonly asked: string | undefined };
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  readonly random: () => number;
  /** Takes output instead of `step-output` events. */
  readonly tap: OutputTap | undefined;
  /** The run survives this process: what happens to containers is told before it is done, what ended stays until that is told. */
  readonly isDurable: boolean;
  readonly retryOnEngineLoss: boolean;
  readonly pushPatience: PushPatience;
  /** Where a build reads the workspace. */
  workspaceOf(step: PlanStep): BuildInputsRequest['workspace'];
  containerOf(step: PlanCmdStep): ContainerSpec;
}

/** What the parts of one step's execution share. */
export interface StepContext {
  readonly run: RunContext;
  readonly step: PlanStep;
  readonly detail: string;
  /** Numbers the attempts from 1, over retries and repeats: no two containers of a step have the same number. */
  readonly attempts: { last: number };
  /** The step was running when an earlier attempt of the run was cut off. */
  readonly resumed: ResumedStep | undefined;
  /** Ended containers that wait for their end to be on record. */
  readonly ended: string[];
  /** Times that the engine took the step's container along. */
  engineLosses: number;
  /** The container of a cmd step is about to start. */
  onRunning(): void;
  onTransfer(progress: TransferProgress): void;
}

/** Begins the next attempt: the first was announced when the step started. What earlier ones left may go when that is on record. */
export async function beginAttempt(context: StepContext): Promise<number> {
  context.attempts.last += 1;
  const attempt = context.attempts.last;
  if (attempt > 1) await context.run.emit({ type: 'step-started', step: context.step.id, attempt, detail: context.detail });
  releaseEnded(context);
  return attempt;
}

/** The ends of the step's containers are on record. */
export function releaseEnded({ run, ended }: StepContext): void {
  for (const container of ended.splice(0)) run.space.release(container);
}
