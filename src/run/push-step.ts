import { canonicalImage } from '../model/canonical-image.ts';
import type { PlanPushStep } from '../model/plan.ts';
import { jitteredBackoffMs } from '../util/backoff.ts';
import { withDeadline } from './deadline.ts';
import { SHORT_PATIENCE } from './push-patience.ts';
import type { StepContext } from './step-context.ts';
import { CANCELED, resultOfError, resultOfTransfer, type WorkResult } from './work-result.ts';

/** Pushes the images one after the other, all within the step's timeout; the step's own retries and repeats do not count here. */
export function runPushStep(step: PlanPushStep, context: StepContext, signal: AbortSignal): Promise<WorkResult> {
  const { clock, emit, noPush } = context.run;
  return withDeadline(step.timeoutMs, 'the push', { clock, signal }, async (limited) => {
    if (noPush) await emit({ type: 'note', level: 'info', step: step.id, message: `not pushed (--no-push): ${step.images.join(', ')}` });
    if (context.resumed !== undefined)
      await emit({ type: 'step-started', step: step.id, attempt: context.attempts.last + 1, detail: context.detail });
    const already = context.run.facts.pushed.filter((image) => image.step === step.id).map((image) => image.reference);
    for (const image of noPush ? [] : step.images.filter((reference) => !already.includes(reference))) {
      const result = await pushImage(step, image, context, limited);
      if (result.status !== 'succeeded') return result;
    }
    return { status: 'succeeded', exitCode: 0 };
  });
}

/** A name that nobody knows is a mistake rather than an outage. */
const NO_SUCH_HOST = /no such host/i;

/** Attempts as the run's patience says, with waits that grow, are spread at random and are never shorter than what the registry asks for. */
async function pushImage(step: PlanPushStep, image: string, context: StepContext, signal: AbortSignal): Promise<WorkResult> {
  const { clock, emit, random, pushPatience } = context.run;
  const since = clock.monotonicMs();
  for (let attempt = 1; ; attempt += 1) {
    if (signal.aborted) return CANCELED;
    context.attempts.last = Math.max(context.attempts.last, attempt);
    const pushed = await pushOnce(step, image, context, signal);
    if (!('because' in pushed.result) || pushed.permanent) return pushed.result;
    const patience = NO_SUCH_HOST.test(pushed.result.because) ? SHORT_PATIENCE : pushPatience;
    const delayMs = Math.max(jitteredBackoffMs(attempt - 1, random, patience.backoff), pushed.retryAfterMs);
    const spentMs = clock.monotonicMs() - since;
    if (attempt >= patience.attempts || spentMs + delayMs > patience.totalMs) return pushed.result;
    await emit({ type: 'step-retrying', step: step.id, attempt, delayMs, because: pushed.result.because });
    await clock.sleep(delayMs, signal);
  }
}

interface PushAttempt {
  readonly result: WorkResult;
  readonly permanent: boolean;
  readonly retryAfterMs: number;
}

async function pushOnce(step: PlanPushStep, image: string, context: StepContext, signal: AbortSignal): Promise<PushAttempt> {
  const { run, onTransfer } = context;
  try {
    const imageId = run.facts.tagged.get(canonicalImage(image));
    const request = { reference: image, ...(imageId === undefined ? {} : { imageId }) };
    const outcome = await run.space.push(request, { signal, onTransfer });
    if (!outcome.ok) {
      const { permanent, retryAfterMs = 0 } = outcome;
      return { result: resultOfTransfer(outcome, `pushing ${image}`), permanent, retryAfterMs };
    }
    const pushed = {
      step: step.id,
      reference: image,
      digest: outcome.digest === '' ? await readBack(step, image, context, signal) : outcome.digest,
    };
    if (outcome.retagged === true) await run.emit({ type: 'note', level: 'warning', step: step.id, message: retaggedText(image) });
    run.facts.pushed.push(pushed);
    await run.emit({ type: 'image-pushed', ...pushed });
    return { result: { status: 'succeeded' }, permanent: false, retryAfterMs: 0 };
  } catch (error) {
    return { result: resultOfError(error, signal), permanent: false, retryAfterMs: 0 };
  }
}

function retaggedText(image: string): string {
  return `${image} had been given to another image since this run built it; the image that this run built was pushed`;
}

/** The digest the registry has for an image that an engine pushed without telling. The push stands even when nobody knows. */
async function readBack(step: PlanPushStep, image: string, { run }: StepContext, signal: AbortSignal): Promise<string> {
  const problem = await run.registry.resolve(image, { signal }).then(
    (found) => found ?? 'the registry does not know it',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  if (typeof problem === 'object') return problem.digest;
  await run.emit({ type: 'note', level: 'warning', step: step.id, message: `the digest of ${image} is not known: ${problem}` });
  return '';
}
