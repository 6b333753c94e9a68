import type { PlanCmdStep } from '../model/plan.ts';
import type { StepContext } from './step-context.ts';

/**
 * The step with the image that its run may use for the one that it names. Only a run that is kept apart has to ask; one of its own images, or of
 * the machine's, is never pulled. Rejects with EngineError, `policy-refused` for an image that it may not use.
 */
export async function withAdmittedImage(step: PlanCmdStep, { run }: StepContext, signal: AbortSignal): Promise<PlanCmdStep> {
  if (run.inputs.stepImage === undefined) return step;
  const { image, platform = run.platform.asked ?? run.platform.fallback, extra } = step.container;
  const onNote = (level: 'info' | 'warning', message: string): void => void run.emit({ type: 'note', level, step: step.id, message });
  const admitted = await run.inputs.stepImage({ reference: image, platform, signal, onNote });
  const { pull, ...others } = step;
  const container = { ...step.container, image: admitted.reference };
  if (admitted.inEngine) return { ...others, container: { ...container, extra: { ...extra, pull: 'never' } } };
  return { ...others, ...(pull === undefined ? {} : { pull }), container };
}
