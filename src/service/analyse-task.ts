import { EngineError } from '../model/engine-error.ts';
import type { AnalysedTask, TaskAnalyser } from '../model/ports/task-analyser.ts';
import { type AnalysisContextParts, openTaskContext } from './analyse-context.ts';
import { baseImagesOfPlan, outputsOfPlans } from './analyse-images.ts';
import { type AnalysisPlanParts, samplePlans } from './analyse-plan.ts';

export interface TaskAnalyserParts extends AnalysisContextParts, AnalysisPlanParts {}

const NOTHING = { dependencies: [], outputs: [] } as const;
/** Problems that are told. */
const MOST_TOLD = 5;

/**
 * Reads tasks as their runs would, up to the first step: context, task file, plan, Dockerfiles. No registry is asked for an image, no secret
 * is read but the token of the context, nothing runs.
 */
export function createTaskAnalyser(parts: TaskAnalyserParts): TaskAnalyser {
  return async (record, signal) => {
    try {
      const { context, directory, builds } = await openTaskContext(record, parts, signal);
      try {
        const plans = await samplePlans({ record, context, hasContext: directory !== undefined, parts, signal });
        if (!plans.ok) return { ...NOTHING, error: told(plans.error.map(({ message }) => message)) };
        const [plan] = plans.value;
        const { os, architecture, variant } = record.definition.platform;
        const platform = [os, architecture, variant].filter((part) => part !== undefined).join('/');
        const { dependencies, problems, transient } = await baseImagesOfPlan(plan, { directory, platform, builds, signal });
        return {
          ...{ dependencies, outputs: outputsOfPlans(plans.value) },
          steps: plan.steps.flatMap((step) => (step.kind === 'build' ? [step.id] : [])),
          ...(problems.length === 0 ? {} : { error: told(problems), transient }),
        };
      } finally {
        await context.dispose();
      }
    } catch (error) {
      return problemOf(error, signal);
    }
  };
}

function problemOf(error: unknown, signal: AbortSignal): AnalysedTask {
  if (signal.aborted || !(error instanceof EngineError)) throw error;
  return { ...NOTHING, error: error.message, transient: error.transient || error.code === 'context-failed' };
}

function told(problems: readonly string[]): string {
  const more = problems.length - MOST_TOLD;
  return [...problems.slice(0, MOST_TOLD), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}
