import type { PlanStep } from '../model/plan.ts';
import type { RunEvent } from '../model/run-event.ts';
import type { RunResume } from '../model/run-resume.ts';
import type { StepState } from '../model/step-state.ts';
import type { Ending } from './edge-condition.ts';
import { noteBuilt, type RunFacts } from './run-facts.ts';
import { FROM_THE_START, type Positions } from './tapped-output.ts';

/** A step that was running when the run was cut off. */
export interface ResumedStep {
  /** The attempt that was running, and of which container, when it had got that far. */
  readonly attempt: number;
  readonly container: string | undefined;
  /** Milliseconds that the step has had already. */
  readonly spentMs: number;
  /** Raw bytes of the attempt's output that have been delivered. */
  readonly delivered: Positions;
  /** Earlier attempts that were tried again because they failed, not because the step repeats. */
  readonly retried: readonly number[];
}

/** Where a step stands, for the schedule. */
export type RestoredStep = Ending | 'running' | 'skipped';

/** The steps that were running, by id. */
export function resumedSteps(resume: RunResume | undefined): ReadonlyMap<string, ResumedStep> {
  const steps = new Map<string, ResumedStep>();
  if (resume === undefined) return steps;
  for (const [id, state] of Object.entries(resume.states)) {
    if (state.status !== 'running') continue;
    const { attempt, container } = state;
    const spentMs = Math.max(0, resume.elapsedMs - state.startedAtMs);
    const retried = resume.facts.flatMap((fact) =>
      fact.type === 'step-retrying' && fact.step === id && fact.attempt < attempt ? [fact.attempt] : [],
    );
    steps.set(id, { attempt, container, spentMs, delivered: deliveredOf(resume, id, attempt), retried });
  }
  return steps;
}

function deliveredOf({ positions }: RunResume, step: string, attempt: number): Positions {
  const delivered = { ...FROM_THE_START };
  for (const own of positions) {
    if (own.step === step && own.attempt === attempt) delivered[own.stream] = Math.max(delivered[own.stream], own.position);
  }
  return delivered;
}

/** Where the steps that have begun or ended stand, for the schedule. */
export function restoredEndings(steps: readonly PlanStep[], states: RunResume['states']): ReadonlyMap<string, RestoredStep> {
  const restored = new Map<string, RestoredStep>();
  for (const step of steps) {
    const state = states[step.id];
    if (state === undefined || state.status === 'pending') continue;
    restored.set(step.id, state.status === 'running' || state.status === 'skipped' ? state.status : restoredEnding(step, state));
  }
  return restored;
}

function restoredEnding(step: PlanStep, state: Exclude<StepState, { status: 'pending' | 'running' | 'skipped' }>): Ending {
  const ending = endingOf(state);
  // Counted as success because a successor waits for it: the others must still see the failure.
  return ending.ignored === true && !step.ignoreErrors ? { ...ending, status: 'failed', ignored: false } : ending;
}

/** How an ended step looks to those behind it. */
export function endingOf(state: StepState): Ending {
  if (state.status === 'pending' || state.status === 'running' || state.status === 'skipped')
    throw new Error(`bug: ${state.status} is no ending`);
  const { status } = state;
  const exitCode = 'exitCode' in state ? state.exitCode : undefined;
  const isIgnored = state.status === 'succeeded' && state.ignored !== undefined;
  return { status, ...(exitCode === undefined ? {} : { exitCode }), ...(isIgnored ? { ignored: true } : {}) };
}

/** Puts what earlier events said into the facts of the run. */
export function restoreFacts(facts: RunFacts, events: readonly RunEvent[]): void {
  for (const event of events) {
    switch (event.type) {
      case 'base-images':
        facts.inputs.set(event.step, { baseImages: event.images, gitHead: event.gitHead ?? '' });
        break;
      case 'image-built':
        noteBuilt(facts, { step: event.step, id: event.id, tags: event.tags });
        break;
      case 'image-pushed':
        facts.pushed.push({ step: event.step, reference: event.reference, digest: event.digest });
        break;
      default:
    }
  }
}
