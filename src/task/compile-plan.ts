import type { Checked, Diagnostic } from '../model/diagnostic.ts';
import type { Plan, PlanBuildStep, PlanCmdStep, PlanNetwork, PlanPushStep, PlanStep, PlanStepCommon } from '../model/plan.ts';
import type { BuildStep, CmdStep, PushStep, Step, Task } from '../model/task.ts';
import { err, ok } from '../util/result.ts';
import { parseBuild } from './build/parse-build.ts';
import { planContainer } from './plan/container.ts';
import { warnIsolation } from './plan/isolation.ts';
import { StepWords } from './plan/step-words.ts';
import { planVolumes } from './plan/volumes.ts';
import { chainWeights } from './plan/weights.ts';
import { lacksRegistry, warnRegistryMissing } from './registry-missing.ts';
import { Problems } from './schema/problems.ts';

export interface CompileOptions {
  /** `exitedWith` and `exitedWithout` get their meaning. */
  readonly extended: boolean;
}

/**
 * Turns a task into what an engine executes: command lines and builds taken apart, quoting removed, networks and working
 * directories resolved, the weight of each step counted. Linear in the size of the task. Every problem is reported.
 */
export function compilePlan(task: Task, options: CompileOptions): Checked<Plan> {
  const problems = new Problems();
  const compiler = new StepCompiler(task, options, problems);
  const weights = chainWeights(task.steps);
  const plan: Plan = {
    formatVersion: 1,
    taskName: task.name,
    registry: task.run.Registry,
    networks: planNetworks(task, problems),
    volumes: planVolumes(task.volumes, problems),
    steps: task.steps.flatMap((step, position) => compiler.compile(step, weights[position] ?? 1) ?? []),
  };
  return problems.errors.length > 0 ? err(problems.all()) : ok({ value: plan, warnings: problems.warnings });
}

function planNetworks(task: Task, problems: Problems): readonly PlanNetwork[] {
  return task.networks.map(({ name, driver, ipv6, skipCreation }) => {
    if (name === '') problems.error('network-missing-name', 'A network has no name.');
    return { name, driver: driver === 'external' ? '' : driver, ipv6, existing: skipCreation };
  });
}

class StepCompiler {
  readonly #task: Task;
  readonly #options: CompileOptions;
  readonly #problems: Problems;
  readonly #words: StepWords;
  readonly #created: ReadonlySet<string>;

  constructor(task: Task, options: CompileOptions, problems: Problems) {
    this.#task = task;
    this.#options = options;
    this.#problems = problems;
    this.#words = new StepWords(problems);
    this.#created = new Set(task.networks.filter(({ skipCreation }) => !skipCreation).map(({ name }) => name));
  }

  /** Undefined when the step has a problem. */
  compile(step: Step, weight: number): PlanStep | undefined {
    switch (step.kind) {
      case 'cmd':
        return this.#cmd(step, weight);
      case 'build':
        return this.#build(step, weight);
      case 'push':
        return this.#push(step, weight);
    }
  }

  #cmd(step: CmdStep, weight: number): PlanCmdStep | undefined {
    const planned = this.#take(planContainer(step, { words: this.#words, created: this.#created }));
    if (planned === undefined) return undefined;
    const { container, detach } = planned;
    const { Registry, OS } = this.#task.run;
    if (lacksRegistry(container.image, Registry)) warnRegistryMissing(container.image, step.cmdRange, this.#problems);
    warnIsolation(container.isolation, OS, step.cmdRange, this.#problems);
    const plan: PlanCmdStep = { ...this.#common(step, weight), kind: 'cmd', container, detach, keep: step.keep };
    if (!step.pull) return plan;
    const pull = { retries: Math.max(0, step.cmdDownloadRetries), retryDelayMs: Math.max(0, step.cmdDownloadRetryDelayMs) };
    return { ...plan, pull };
  }

  #build(step: BuildStep, weight: number): PlanBuildStep | undefined {
    const build = this.#take(
      parseBuild(step.build, {
        stepId: step.id,
        taskName: this.#task.name,
        registry: this.#task.run.Registry,
        cache: step.cache.toLowerCase() === 'enabled' ? 'enabled' : '',
        env: this.#words.env(step),
        workdir: this.#words.workdir(step),
        range: step.buildRange,
      }),
    );
    if (build !== undefined) warnIsolation(build.isolation, this.#task.run.OS, step.buildRange, this.#problems);
    return build === undefined ? undefined : { ...this.#common(step, weight), kind: 'build', build };
  }

  /** Pushes have retries of their own: those of the step, and its repeats, do not count. */
  #push(step: PushStep, weight: number): PlanPushStep {
    return { ...this.#common(step, weight), kind: 'push', images: step.images, retries: 0, retryOnErrors: [], repeat: 0 };
  }

  #common(step: Step, weight: number): PlanStepCommon {
    const { id, needs, timeoutMs, startDelayMs, ignoreErrors, retries, retryDelayMs, retryOnErrors, repeat } = step;
    const { exitedWith, exitedWithout } = step;
    const conditional = this.#options.extended && exitedWith.length + exitedWithout.length > 0;
    const common = { id, needs, weight, timeoutMs, startDelayMs, ignoreErrors, retries, retryDelayMs, retryOnErrors, repeat };
    return conditional ? { ...common, edgeCondition: { exitedWith, exitedWithout } } : common;
  }

  #take<T>(checked: Checked<T>): T | undefined {
    const said: readonly Diagnostic[] = checked.ok ? checked.value.warnings : checked.error;
    this.#problems.add(said);
    return checked.ok ? checked.value.value : undefined;
  }
}
