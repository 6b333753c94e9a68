import type { PlanStep } from '../model/plan.ts';
import { awaitsFailure, type Ending, meetsEdge } from './edge-condition.ts';
import { ReadyHeap } from './ready-heap.ts';
import type { RestoredStep } from './restore.ts';

export type ScheduledStep = Pick<PlanStep, 'id' | 'needs' | 'weight' | 'edgeCondition'>;

export interface SkippedStep {
  readonly id: string;
  /** Completes "skipped because …". */
  readonly because: string;
}

export interface FinishedStep {
  /** Steps that became ready, heaviest first; `ready()` will not give them again. */
  readonly ready: readonly string[];
  readonly skipped: readonly SkippedStep[];
  /** Why others are skipped or canceled when this ending is the reason. */
  readonly because: string;
  /** The failure is one that a successor waits for (`exitedWith`): it counts as ignored. */
  readonly expected: boolean;
  /** The step failed, nobody waited for that, and steps fail fast: the run ends now. */
  readonly endsRun: boolean;
}

/**
 * What may start when: pure bookkeeping over the plan's graph, no clock and no promise. Each step goes
 * waiting → offered (once, by `ready` or `finished`) → started → finished, or is skipped before it started.
 */
export interface Schedule {
  /** Steps that became ready and were not given yet, heaviest critical path first, then in file order. */
  ready(): readonly string[];
  /** Tells that an offered step starts now; false when it was skipped in the meantime and must not start. */
  started(id: string): boolean;
  finished(id: string, ending: Ending): FinishedStep;
  /**
   * Before anything else: takes over where another execution of the plan was cut off. Steps that are not named are pending. Returns what
   * that execution had not come to: steps to skip, and whether a failure ends the run.
   */
  restore(steps: ReadonlyMap<string, RestoredStep>): Omit<FinishedStep, 'ready' | 'expected'>;
  /** Skips every step that has not started. Steps that run must still be `finished`. Idempotent. */
  stop(because: string): readonly SkippedStep[];
  /** Steps that wait for this one directly, in file order. */
  successors(id: string): readonly string[];
  /** Whether the step is started or finished. */
  hasStarted(id: string): boolean;
  /** Every step has ended. */
  readonly done: boolean;
}

export interface ScheduleOptions {
  /** Independent branches finish after a failure. */
  readonly keepGoing: boolean;
}

const Phase = { waiting: 0, offered: 1, started: 2, ended: 3 } as const;

/** Linear in steps and edges. Throws for an unknown id and for a call out of order: both are bugs. */
export function createSchedule(steps: readonly ScheduledStep[], options: ScheduleOptions): Schedule {
  return new GraphSchedule(steps, options);
}

class GraphSchedule implements Schedule {
  readonly #steps: readonly ScheduledStep[];
  readonly #keepGoing: boolean;
  readonly #indexOf = new Map<string, number>();
  /** Predecessors that have not ended yet, by step. */
  readonly #unmet: Int32Array;
  readonly #phase: Uint8Array;
  readonly #successors: number[][];
  readonly #heap: ReadyHeap;
  #left: number;

  constructor(steps: readonly ScheduledStep[], options: ScheduleOptions) {
    this.#steps = steps;
    this.#keepGoing = options.keepGoing;
    this.#left = steps.length;
    this.#unmet = new Int32Array(steps.length);
    this.#phase = new Uint8Array(steps.length);
    this.#heap = new ReadyHeap(Float64Array.from(steps, (step) => step.weight));
    this.#successors = steps.map(() => []);
    for (const [index, step] of steps.entries()) this.#indexOf.set(step.id, index);
    for (const [index, step] of steps.entries()) {
      for (const need of new Set(step.needs)) {
        (this.#successors[this.#index(need)] as number[]).push(index);
        this.#unmet[index] = (this.#unmet[index] as number) + 1;
      }
      if (this.#unmet[index] === 0) this.#heap.push(index);
    }
  }

  get done(): boolean {
    return this.#left === 0;
  }

  ready(): readonly string[] {
    const ids: string[] = [];
    for (let index = this.#heap.pop(); index !== undefined; index = this.#heap.pop()) {
      // A step that was skipped while it was ready stays in the heap until here.
      if (this.#phase[index] !== Phase.waiting) continue;
      this.#phase[index] = Phase.offered;
      ids.push(this.#id(index));
    }
    return ids;
  }

  started(id: string): boolean {
    const index = this.#index(id);
    if (this.#phase[index] === Phase.ended) return false;
    if (this.#phase[index] !== Phase.offered) throw new Error(`bug: step ${id} starts but is not ready`);
    this.#phase[index] = Phase.started;
    return true;
  }

  finished(id: string, ending: Ending): FinishedStep {
    const index = this.#index(id);
    if (this.#phase[index] !== Phase.started) throw new Error(`bug: step ${id} ends but does not run`);
    this.#end(index);
    const expected = this.#isExpected(index, ending);
    const skipped: SkippedStep[] = [];
    const because = reasonOf(id, ending);
    if (this.#behind(index, ending, skipped) !== undefined)
      return { ready: [], skipped: this.stop(because), because, expected, endsRun: true };
    return { ready: this.ready(), skipped, because, expected, endsRun: false };
  }

  restore(steps: ReadonlyMap<string, RestoredStep>): Omit<FinishedStep, 'ready' | 'expected'> {
    for (const [id, step] of steps) {
      const index = this.#index(id);
      if (step === 'running') this.#phase[index] = Phase.started;
      else this.#end(index);
    }
    const skipped: SkippedStep[] = [];
    for (const [id, step] of steps) {
      if (step === 'running') continue;
      const ended = step === 'skipped' ? this.#skipBehind(id, skipped) : this.#behind(this.#index(id), step, skipped);
      if (ended !== undefined) return { skipped: [...skipped, ...this.stop(ended)], because: ended, endsRun: true };
    }
    return { skipped, because: '', endsRun: false };
  }

  stop(because: string): readonly SkippedStep[] {
    const skipped: SkippedStep[] = [];
    for (const [index, step] of this.#steps.entries()) {
      if ((this.#phase[index] as number) >= Phase.started) continue;
      this.#end(index);
      skipped.push({ id: step.id, because });
    }
    return skipped;
  }

  successors(id: string): readonly string[] {
    return (this.#successors[this.#index(id)] as number[]).map((index) => this.#id(index));
  }

  hasStarted(id: string): boolean {
    const index = this.#index(id);
    return (this.#phase[index] as number) >= Phase.started;
  }

  #isExpected(index: number, ending: Ending): boolean {
    const successors = this.#successors[index] as number[];
    return ending.status === 'failed' && successors.some((next) => awaitsFailure(this.#steps[next] as ScheduledStep, ending));
  }

  /** What an ending means for the steps behind it; the reason when it ends the run. */
  #behind(index: number, ending: Ending, skipped: SkippedStep[]): string | undefined {
    const because = reasonOf(this.#id(index), ending);
    if (ending.status !== 'succeeded' && !this.#isExpected(index, ending) && !this.#keepGoing) return because;
    for (const next of this.#successors[index] as number[]) {
      if (this.#phase[next] !== Phase.waiting) continue;
      if (!meetsEdge(this.#steps[next] as ScheduledStep, ending)) this.#skipWithDescendants(next, because, skipped);
      else {
        this.#unmet[next] = (this.#unmet[next] as number) - 1;
        if (this.#unmet[next] === 0) this.#heap.push(next);
      }
    }
    return undefined;
  }

  /** The descendants of a skipped step that were not skipped with it. */
  #skipBehind(id: string, skipped: SkippedStep[]): undefined {
    for (const next of this.#successors[this.#index(id)] as number[]) this.#skipWithDescendants(next, `${id} was skipped`, skipped);
  }

  #skipWithDescendants(first: number, because: string, skipped: SkippedStep[]): void {
    const stack = [first];
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      if (this.#phase[index] !== Phase.waiting) continue;
      this.#end(index);
      skipped.push({ id: this.#id(index), because });
      stack.push(...(this.#successors[index] as number[]).toReversed());
    }
  }

  #end(index: number): void {
    this.#phase[index] = Phase.ended;
    this.#left -= 1;
  }

  #index(id: string): number {
    const index = this.#indexOf.get(id);
    if (index === undefined) throw new Error(`bug: the plan has no step ${id}`);
    return index;
  }

  #id(index: number): string {
    return (this.#steps[index] as ScheduledStep).id;
  }
}

function reasonOf(id: string, ending: Ending): string {
  switch (ending.status) {
    case 'failed':
      return `${id} failed`;
    case 'errored':
      return `${id} could not be done`;
    case 'canceled':
      return `${id} was canceled`;
    case 'succeeded':
      return `${id} exited with ${ending.exitCode ?? 0}`;
  }
}
