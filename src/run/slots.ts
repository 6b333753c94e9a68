import PQueue from 'p-queue';
import type { PlanStep } from '../model/plan.ts';

/** Lets steps run as places become free, the heaviest critical path first. */
export interface Slots {
  /** Resolves when `work` has ended; it must not reject. */
  run(step: Pick<PlanStep, 'kind' | 'weight'>, work: () => Promise<void>): Promise<void>;
}

/** `parallel` bounds all steps at once (undefined: no bound), `buildParallel` the builds among them. */
export function createSlots(limits: { readonly parallel: number | undefined; readonly buildParallel: number }): Slots {
  const all = new PQueue({ concurrency: Math.max(1, limits.parallel ?? Number.POSITIVE_INFINITY) });
  const builds = new PQueue({ concurrency: Math.max(1, limits.buildParallel) });
  return {
    run: ({ kind, weight }, work) => {
      const priority = { priority: weight };
      // A build waits for a build's place first: the other way round it would keep a command from running while it waits.
      return kind === 'build' ? builds.add(() => all.add(work, priority), priority) : all.add(work, priority);
    },
  };
}
