import type { PlanStep } from '../model/plan.ts';
import type { RunFact } from '../model/run-event.ts';
import { type StepState, transition } from '../model/step-state.ts';
import type { Ending } from './edge-condition.ts';
import { executeStep, type StepEnd } from './execute-step.ts';
import { PrepareAhead } from './prepare-ahead.ts';
import type { RunInterrupt } from './run-interrupt.ts';
import type { Schedule, SkippedStep } from './schedule.ts';
import type { Slots } from './slots.ts';
import type { RunContext } from './step-context.ts';

export interface StepFailure {
  readonly step: string;
  readonly status: 'failed' | 'errored';
  readonly message: string;
  readonly errorCode?: string;
}

export interface StepRunnerParts {
  readonly steps: readonly PlanStep[];
  readonly schedule: Schedule;
  readonly slots: Slots;
  readonly interrupt: RunInterrupt;
  readonly run: RunContext;
}

/** The loop of a run: starts what the schedule offers, tells it what ended, and ends everything when the run is interrupted. */
export class StepRunner {
  readonly states = new Map<string, StepState>();
  readonly #parts: StepRunnerParts;
  readonly #steps: ReadonlyMap<string, PlanStep>;
  readonly #ahead: PrepareAhead;
  readonly #idle = Promise.withResolvers<void>();
  #active = 0;
  #abandoned = false;
  #failure: StepFailure | undefined;

  constructor(parts: StepRunnerParts) {
    this.#parts = parts;
    this.#steps = new Map(parts.steps.map((step) => [step.id, step]));
    this.#ahead = new PrepareAhead(parts.steps, parts.schedule, parts.run);
    for (const step of parts.steps) this.states.set(step.id, { status: 'pending' });
  }

  /** The first failure by time that was not ignored. */
  get failure(): StepFailure | undefined {
    return this.#failure;
  }

  /** Resolves when nothing runs and nothing can start any more. Call once. */
  run(): Promise<void> {
    const { interrupt, schedule } = this.#parts;
    const stop = (): void => this.#skip(schedule.stop(interrupt.reason?.because ?? 'the run ended'));
    if (interrupt.signal.aborted) stop();
    else interrupt.signal.addEventListener('abort', stop, { once: true });
    this.#offer(schedule.ready());
    if (this.#active === 0) this.#idle.resolve();
    return this.#idle.promise;
  }

  /** Stops waiting for steps that do not stop: they count as canceled, and what they still say is dropped. */
  abandon(): void {
    const { interrupt, run } = this.#parts;
    for (const [id, state] of this.states) {
      if (state.status !== 'running') continue;
      const because = `${interrupt.reason?.because ?? 'the run ended'}; it did not stop in time`;
      const durationMs = run.clock.monotonicMs() - state.startedAtMs;
      this.#end(id, { status: 'canceled', attempts: state.attempt, durationMs, because });
    }
    this.#abandoned = true;
  }

  #offer(ids: readonly string[]): void {
    for (const id of ids) {
      const step = this.#steps.get(id) as PlanStep;
      this.#active += 1;
      void this.#runStep(step)
        .catch((error: unknown) => this.#onDefect(error))
        .finally(() => {
          this.#active -= 1;
          if (this.#active === 0) this.#idle.resolve();
        });
    }
  }

  async #runStep(step: PlanStep): Promise<void> {
    const { run, interrupt, slots } = this.#parts;
    if (step.startDelayMs > 0) {
      this.#ahead.delayed(step);
      await run.emit({ type: 'step-delayed', step: step.id, delayMs: step.startDelayMs });
      await run.clock.sleep(step.startDelayMs, interrupt.signal);
    }
    // An interruption has skipped the step: a place to run is for those that must still clean up.
    if (!interrupt.signal.aborted) await slots.run(step, () => this.#execute(step).catch((error: unknown) => this.#onDefect(error)));
  }

  async #execute(step: PlanStep): Promise<void> {
    const { run, interrupt, schedule } = this.#parts;
    if (!schedule.started(step.id)) return;
    const startedAtMs = run.clock.monotonicMs();
    this.#move(step.id, { status: 'running', startedAtMs, attempt: 1 });
    this.#ahead.started(step);
    const end = await executeStep(step, run, interrupt.signal, () => this.#ahead.running(step));
    if (!this.#abandoned) this.#finish(step, end, run.clock.monotonicMs() - startedAtMs);
  }

  #finish(step: PlanStep, end: StepEnd, durationMs: number): void {
    const { schedule, interrupt } = this.#parts;
    this.#ahead.finished(step);
    const interruption = interrupt.reason;
    const counted = { attempts: end.attempts, durationMs };
    // What ends after the interruption was canceled by it, whatever its last words: so the outcome does not depend on a race.
    const state: StepState =
      interruption === undefined ? stateOf(step, end, counted) : { status: 'canceled', ...counted, because: interruption.because };
    const scheduled = schedule.finished(step.id, endingOf(state));
    if (scheduled.expected && state.status === 'failed') this.#end(step.id, ignored(state, counted));
    else this.#end(step.id, state);
    if (!scheduled.expected && (state.status === 'failed' || state.status === 'errored')) this.#fail(step.id, state);
    this.#skip(scheduled.skipped);
    if (scheduled.endsRun) interrupt.raise({ kind: 'failure', because: scheduled.because });
    this.#offer(scheduled.ready);
  }

  #fail(step: string, state: Extract<StepState, { status: 'failed' | 'errored' }>): void {
    const { status, because } = state;
    this.#failure ??= { step, status, message: because, ...(state.status === 'errored' ? { errorCode: state.errorCode } : {}) };
  }

  #skip(skipped: readonly SkippedStep[]): void {
    for (const { id, because } of skipped) this.#end(id, { status: 'skipped', because });
  }

  #end(id: string, state: StepState): void {
    this.#move(id, state);
    const fact = finishedFact(id, state);
    if (fact !== undefined) void this.#parts.run.emit(fact);
  }

  #move(id: string, state: StepState): void {
    this.states.set(id, transition(this.states.get(id) ?? { status: 'pending' }, state));
  }

  #onDefect(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.#parts.interrupt.raise({ kind: 'broken', because: `a defect of this program: ${text}`, errorCode: 'internal' });
  }
}

interface Counted {
  readonly attempts: number;
  readonly durationMs: number;
}

function stateOf(step: PlanStep, { result }: StepEnd, counted: Counted): StepState {
  switch (result.status) {
    case 'succeeded':
      return { ...result, ...counted };
    case 'failed': {
      const failed = { ...result, ...counted };
      return step.ignoreErrors ? ignored(failed, counted) : failed;
    }
    case 'errored':
      return step.ignoreErrors ? ignored(result, counted) : { ...result, ...counted };
    case 'canceled':
      return { status: 'errored', ...counted, because: 'the engine stopped it without being asked', errorCode: 'engine-failed' };
  }
}

function ignored(failure: { readonly because: string; readonly exitCode?: number }, counted: Counted): StepState {
  const { because, exitCode } = failure;
  return { status: 'succeeded', ...counted, ignored: because, ...(exitCode === undefined ? {} : { exitCode }) };
}

function endingOf(state: StepState): Ending {
  if (state.status === 'pending' || state.status === 'running' || state.status === 'skipped')
    throw new Error(`bug: ${state.status} is no ending`);
  const { status } = state;
  const exitCode = 'exitCode' in state ? state.exitCode : undefined;
  const isIgnored = state.status === 'succeeded' && state.ignored !== undefined;
  return { status, ...(exitCode === undefined ? {} : { exitCode }), ...(isIgnored ? { ignored: true } : {}) };
}

function finishedFact(step: string, state: StepState): RunFact | undefined {
  switch (state.status) {
    case 'pending':
    case 'running':
      return undefined;
    case 'skipped':
      return { type: 'step-finished', step, status: 'skipped', attempts: 0, durationMs: 0, because: state.because };
    case 'succeeded': {
      const { ignored: because, ...rest } = state;
      return { type: 'step-finished', step, ...rest, ...(because === undefined ? {} : { ignored: true, because }) };
    }
    case 'failed': {
      const { timedOut, ...rest } = state;
      return { type: 'step-finished', step, ...rest, ...(timedOut ? { timedOut } : {}) };
    }
    case 'errored':
    case 'canceled':
      return { type: 'step-finished', step, ...state };
  }
}
