import { canonicalImage } from '../model/canonical-image.ts';
import type { ContainerSpec, PlanCmdStep, PlanStep } from '../model/plan.ts';
import type { Schedule } from './schedule.ts';
import type { RunContext } from './step-context.ts';

/** Containers made ahead at one time: enough to keep the next steps of a few branches ready, no flood on a wide graph. */
const MOST_AHEAD = 4;

/**
 * Has the engine make the containers of the steps that come next while their predecessors still run, so that only their start is
 * left on the critical path.
 */
export class PrepareAhead {
  readonly #steps: ReadonlyMap<string, PlanStep>;
  readonly #schedule: Schedule;
  readonly #run: RunContext;
  /** Made ahead and not started yet. */
  readonly #ahead = new Set<string>();
  readonly #known = new Set<string>();
  /** Builds that have not ended, by the images they will make: until then the name may mean an older image. */
  readonly #unbuilt = new Map<string, Set<string>>();

  constructor(steps: readonly PlanStep[], schedule: Schedule, run: RunContext) {
    this.#steps = new Map(steps.map((step) => [step.id, step]));
    this.#schedule = schedule;
    this.#run = run;
    for (const step of steps) {
      for (const tag of step.kind === 'build' ? step.build.tags : []) {
        const image = canonicalImage(tag);
        this.#unbuilt.set(image, (this.#unbuilt.get(image) ?? new Set()).add(step.id));
      }
    }
  }

  /** The step waits for nothing but its start delay. */
  delayed(step: PlanStep): void {
    this.#consider(step);
  }

  /** The step begins: its container is no longer ahead. */
  started(step: PlanStep): void {
    this.#ahead.delete(step.id);
    this.#known.add(step.id);
  }

  /** The step's own container is about to start: now the engine has time for those of its successors. */
  running(step: PlanStep): void {
    const next = this.#schedule.successors(step.id).flatMap((id) => this.#steps.get(id) ?? []);
    for (const successor of next.sort((a, b) => b.weight - a.weight)) {
      if (this.#ahead.size >= MOST_AHEAD) return;
      if (successor.needs.every((need) => this.#schedule.hasStarted(need))) this.#consider(successor);
    }
  }

  finished(step: PlanStep): void {
    for (const tag of step.kind === 'build' ? step.build.tags : []) this.#unbuilt.get(canonicalImage(tag))?.delete(step.id);
  }

  #consider(step: PlanStep): void {
    if (step.kind !== 'cmd' || this.#known.has(step.id) || this.#ahead.size >= MOST_AHEAD) return;
    // Skipped in the meantime, for another reason than its present needs.
    if (this.#schedule.hasStarted(step.id)) return;
    if (step.pull !== undefined || dependsOnContainers(step.container)) return;
    // Which image it may use is not known yet.
    if (this.#run.inputs.stepImage !== undefined) return;
    if ((this.#unbuilt.get(canonicalImage(step.container.image))?.size ?? 0) > 0) return;
    this.#known.add(step.id);
    this.#ahead.add(step.id);
    this.#run.space.prepare(firstRequest(step, this.#run));
  }
}

/** Other containers it names may not exist yet. */
function dependsOnContainers({ network, extra }: ContainerSpec): boolean {
  const modes = [network.kind === 'mode' ? network.mode : '', extra.pid ?? '', extra.ipc ?? ''];
  return (extra.volumesFrom ?? []).length > 0 || modes.some((mode) => mode.startsWith('container:'));
}

function firstRequest(step: PlanCmdStep, run: RunContext) {
  return { step: step.id, attempt: 1, container: run.containerOf(step), detach: step.detach, keep: step.keep };
}
