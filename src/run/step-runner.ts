import type { PlanStep } from '../model/plan.ts';
import type { RunFact } from '../model/run-event.ts';
import type { RunResume } from '../model/run-resume.ts';
import { type StepState, transition } from '../model/step-state.ts';
import { executeStep, type StepEnd } from './execute-step.ts';
import { PrepareAhead } from './prepare-ahead.ts';
import { endingOf, type ResumedStep, restoredEndings, resumedSteps } from './restore.ts';
import type { Interruption, RunInterrupt } from './run-interrupt.ts';
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
  readonly resume: RunResume | undefined;
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
  readonly #resumed: ReadonlyMap<string, ResumedStep>;
  readonly #letGo = new AbortController();
  readonly #signal: AbortSignal;
  #suspended = false;

  constructor(parts: StepRunnerParts) {
    this.#parts = parts;
    this.#steps = new Map(parts.steps.map((step) => [step.id, step]));
    this.#ahead = new PrepareAhead(parts.steps, parts.schedule, parts.run);
    for (const step of parts.steps) this.states.set(step.id, { status: 'pending' });
    this.#resumed = resumedSteps(parts.resume);
    this.#signal = AbortSignal.any([parts.interrupt.signal, this.#letGo.signal]);
  }

  /** The first failure by time that was not ignored. */
  get failure(): StepFailure | undefined {
    return this.#failure;
  }

  /** Resolves when nothing runs and nothing can start any more. Call once. */
  run(): Promise<void> {
    const { interrupt, schedule, resume } = this.#parts;
    const ended = resume === undefined ? undefined : this.#restore(resume);
    const stop = (): void => this.#skip(schedule.stop(interrupt.reason?.because ?? 'the run ended'));
    if (interrupt.signal.aborted) stop();
    else interrupt.signal.addEventListener('abort', stop, { once: true });
    // Also after an interruption: what runs in the engine has to be stopped.
    this.#offer([...this.#resumed.keys()]);
    if (ended !== undefined) interrupt.raise(ended);
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

  /** From now on nothing starts, and what ends is not told: a later attempt finds it. */
  suspend(): void {
    this.#suspended = true;
  }

  /** After `suspend`, when nobody follows containers any more: ends everything that still waits for something. */
  letGo(): void {
    this.#letGo.abort();
  }

  /** Takes over the states of an earlier attempt of the run; why the run was ending, if it was. */
  #restore({ states }: RunResume): Interruption | undefined {
    const { steps, schedule } = this.#parts;
    let canceled: string | undefined;
    for (const step of steps) {
      const state = states[step.id];
      if (state === undefined || state.status === 'pending' || state.status === 'running') continue;
      this.states.set(step.id, state);
      this.#ahead.finished(step);
      if (state.status === 'failed' || state.status === 'errored') this.#fail(step.id, state);
      if (state.status === 'canceled') canceled ??= state.because;
    }
    const restored = schedule.restore(restoredEndings(steps, states));
    this.#skip(restored.skipped);
    if (!restored.endsRun) return undefined;
    // What was canceled with no failure before it was canceled from outside.
    const isFailure = this.#failure !== undefined;
    return isFailure ? { kind: 'failure', because: restored.because } : { kind: 'canceled', because: canceled ?? restored.because };
  }

  #offer(ids: readonly string[]): void {
    for (const id of this.#suspended ? [] : ids) {
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
    const { run, slots } = this.#parts;
    if (step.startDelayMs > 0 && !this.#resumed.has(step.id)) {
      this.#ahead.delayed(step);
      await run.emit({ type: 'step-delayed', step: step.id, delayMs: step.startDelayMs });
      await run.clock.sleep(step.startDelayMs, this.#signal);
    }
    // An interruption has skipped the step: a place to run is for those that must still clean up.
    if (!this.#signal.aborted || this.#resumed.has(step.id))
      await slots.run(step, () => this.#execute(step).catch((error: unknown) => this.#onDefect(error)));
  }

  async #execute(step: PlanStep): Promise<void> {
    const { run, schedule } = this.#parts;
    const resumed = this.#resumed.get(step.id);
    if (this.#suspended || (resumed === undefined && !schedule.started(step.id))) return;
    const startedAtMs = run.clock.monotonicMs() - (resumed?.spentMs ?? 0);
    this.#move(step.id, { status: 'running', startedAtMs, attempt: resumed?.attempt ?? 1 });
    this.#ahead.started(step);
    const end = await executeStep(step, { run, signal: this.#signal, resumed, onRunning: () => this.#ahead.running(step) });
    if (!this.#abandoned && !this.#suspended) this.#finish(step, end, run.clock.monotonicMs() - startedAtMs);
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
    const told = this.#end(step.id, scheduled.expected && state.status === 'failed' ? ignored(state, counted) : state);
    if (end.ended.length > 0) void this.#release(end.ended, told);
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

  /** Resolves when the end of the step is on record. */
  #end(id: string, state: StepState): void | Promise<void> {
    this.#move(id, state);
    const fact = finishedFact(id, state);
    return fact === undefined ? undefined : this.#parts.run.emit(fact);
  }

  async #release(containers: readonly string[], told: void | Promise<void>): Promise<void> {
    await told;
    for (const container of containers) this.#parts.run.space.release(container);
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
