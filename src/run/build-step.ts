import type { PlanBuildStep } from '../model/plan.ts';
import type { OpenedBuild, PreparedBuild } from '../model/ports/build-inputs.ts';
import type { BuildOutcome, BuildProgress } from '../model/ports/container-engine.ts';
import { withDeadline } from './deadline.ts';
import { OutputMatch } from './output-match.ts';
import { repeatWork } from './repeat.ts';
import { type Attempt, retryAttempts } from './retry.ts';
import { noteBuilt } from './run-facts.ts';
import { secretBuildArgWarnings } from './secret-build-args.ts';
import { beginAttempt, type StepContext } from './step-context.ts';
import { createStepOutput } from './step-output.ts';
import { CANCELED, resultOfError, type WorkResult } from './work-result.ts';

/** Reading the inputs (context, Dockerfile, base images) has a limit of its own, outside the step's timeout. */
const INPUTS_LIMIT_MS = 900_000;

/** Reads the inputs once, then within the step's timeout: repeat(retry(one build)). */
export async function runBuildStep(written: PlanBuildStep, context: StepContext, signal: AbortSignal): Promise<WorkResult> {
  const { run } = context;
  const { clock, emit } = run;
  const step = forPlatform(written, run.platform.asked);
  for (const message of secretBuildArgWarnings(step.build, run.masker))
    await emit({ type: 'note', level: 'warning', step: step.id, message });
  let prepared: PreparedBuild | undefined;
  const ahead = new AbortController();
  const ready = await withDeadline(INPUTS_LIMIT_MS, 'reading the inputs of the build', { clock, signal }, async (limited) => {
    try {
      prepared = await prepareInputs(step, context, limited, async (opened) =>
        run.space.prepareBuild?.({ step: step.id, spec: step.build, opened }, AbortSignal.any([signal, ahead.signal])),
      );
      return { status: 'succeeded' };
    } catch (error) {
      return resultOfError(error, limited);
    }
  });
  if (prepared === undefined) {
    ahead.abort();
    return ready;
  }
  const inputs = prepared;
  try {
    run.facts.inputs.set(step.id, { baseImages: inputs.baseImages, gitHead: inputs.gitHead });
    const { baseImages: images, gitHead } = inputs;
    await emit({ type: 'base-images', step: step.id, images, ...(run.isDurable && gitHead !== '' ? { gitHead } : {}) });
    return await withDeadline(step.timeoutMs, 'the build', { clock, signal }, (limited) =>
      repeatWork(step.repeat, limited, () => {
        const onRetry = (because: string, delayMs: number) =>
          emit({ type: 'step-retrying', step: step.id, attempt: context.attempts.last, delayMs, because });
        return retryAttempts(step, { clock, signal: limited, onRetry }, () => buildAttempt(step, inputs, context, limited));
      }),
    );
  } finally {
    ahead.abort();
    await inputs.dispose();
  }
}

function prepareInputs(
  step: PlanBuildStep,
  { run }: StepContext,
  signal: AbortSignal,
  onOpened: (opened: OpenedBuild) => Promise<void>,
): Promise<PreparedBuild> {
  return run.inputs.prepare({
    step: step.id,
    spec: step.build,
    workspace: run.workspaceOf(step),
    platform: run.platform.asked ?? run.platform.fallback,
    signal,
    onNote: (level, message) => void run.emit({ type: 'note', level, step: step.id, message }),
    onOpened,
  });
}

/** `--platform` of the run counts for builds that name none. */
function forPlatform(step: PlanBuildStep, asked: string | undefined): PlanBuildStep {
  if (asked === undefined || step.build.platforms.length > 0) return step;
  return { ...step, build: { ...step.build, platforms: [asked] } };
}

async function buildAttempt(step: PlanBuildStep, inputs: PreparedBuild, context: StepContext, signal: AbortSignal): Promise<Attempt> {
  if (signal.aborted) return { result: CANCELED, retryable: false };
  const attempt = await beginAttempt(context);
  const { run } = context;
  const match = new OutputMatch(step.retryOnErrors);
  const output = createStepOutput({ step: step.id, attempt, ...run });
  const request = { step: step.id, attempt, spec: step.build, inputs, secrets: run.secrets };
  const onOutput = (stream: 'stdout' | 'stderr', chunk: Uint8Array): void | Promise<void> => {
    match.push(stream, chunk);
    return output.write(stream, chunk);
  };
  const outcome = await run.space
    .build(request, { signal, onOutput, onProgress: (progress) => tellProgress(step.id, progress, run) })
    .catch((error: unknown) => resultOfError(error, signal));
  await output.close();
  const result = 'status' in outcome ? outcome : await resultOfBuild(step, outcome, context);
  if ('because' in result) match.push('stderr', Buffer.from(result.because));
  return { result, retryable: step.retryOnErrors.length === 0 || match.matched };
}

/** What a person should know is a note of its own: it is masked and shown like any other. */
function tellProgress(step: string, { warning, note, ...progress }: BuildProgress, { emit }: StepContext['run']): void {
  void emit({ type: 'build-progress', step, ...progress });
  if (warning !== undefined) void emit({ type: 'note', level: 'warning', step, message: warning });
  if (note !== undefined) void emit({ type: 'note', level: 'info', step, message: note });
}

async function resultOfBuild(step: PlanBuildStep, outcome: BuildOutcome, { run }: StepContext): Promise<WorkResult> {
  if (!outcome.ok) return outcome.canceled ? CANCELED : { status: 'failed', because: outcome.message, exitCode: 1, timedOut: false };
  const built = { step: step.id, id: outcome.imageId, tags: step.build.tags };
  noteBuilt(run.facts, built);
  await run.emit({ type: 'image-built', ...built });
  return { status: 'succeeded', exitCode: 0 };
}
