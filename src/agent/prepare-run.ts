import type { Diagnostic } from '../model/diagnostic.ts';
import { EngineError } from '../model/engine-error.ts';
import type { Plan } from '../model/plan.ts';
import { runImageName } from '../model/run-image.ts';
import type { RunRequest } from '../model/run-record.ts';
import { SHARED_TASK_LIMITS } from '../task/limits.ts';
import { loadPlan } from '../task/load-plan.ts';
import type { TaskInputs } from '../task/load-task.ts';
import { withPlatform } from '../task/plan/with-platform.ts';
import { createMasker } from '../util/masker.ts';
import type { ActiveRun } from './active-run.ts';
import type { AgentDependencies, RunParts } from './agent-options.ts';
import { createAliasReader } from './alias-sources.ts';
import { type OpenedContext, openContext } from './open-context.ts';
import { checkPolicy, withoutOwnEnvironment } from './policy.ts';
import type { RunSecrets } from './run-secrets.ts';
import { runVariables } from './run-variables.ts';
import { type TaskSource, taskSource } from './task-source.ts';

/** A run that can be executed. */
export interface PreparedRun {
  readonly plan: Plan;
  readonly context: OpenedContext;
  readonly secrets: RunSecrets;
  readonly parts: RunParts;
  /** Tags that its builds made. */
  readonly built: Set<string>;
  readonly workspaceVolume: string;
  readonly warnings: readonly Diagnostic[];
}

/** The task file has errors; they are `diagnostics`. */
class BadTask extends EngineError {
  constructor(diagnostics: readonly Diagnostic[]) {
    super('bad-task', diagnostics[0]?.message ?? 'the task file has errors', { diagnostics });
  }
}

/**
 * Does everything that comes before the first step: context, task file, plan, policy. Rejects with EngineError: `bad-task` with the
 * diagnostics for what is wrong with the task. A run that is resumed executes the plan of its first attempt; it is prepared again for its
 * secrets and its context.
 */
export async function prepareRun(
  run: ActiveRun,
  secrets: RunSecrets,
  deps: AgentDependencies,
  { signal, onNote }: { readonly signal: AbortSignal; onNote(message: string): void },
): Promise<PreparedRun> {
  const { request, resume } = run.assignment;
  const built = new Set<string>();
  const parts = await deps.makeRunParts({
    ...{ logins: secrets.request.credentials, trust: request.trust, baseImages: request.baseImages ?? [] },
    ...{ builtTags: () => built, onWarning: onNote },
    runImage: (reference) => runImageName({ owner: run.owner, runId: run.spaceId }, reference),
  });
  const token = secrets.request.contextToken;
  const context = await openContext(run, deps, { token, parts, signal, onNote });
  signal.throwIfAborted();
  const workspaceVolume = `slipway-${run.spaceId}-workspace`;
  const text = await taskSource(request, context.taskDirectory, secrets.request.values);
  if (!text.ok) throw new BadTask(text.error);
  const inputs = taskInputs(run, deps, text.value, { context, secrets, workspaceVolume, signal });
  const loaded = await loadPlan(inputs, { extended: request.extended });
  if (!loaded.ok) throw new BadTask(loaded.error);
  const { task, plan: compiled } = loaded.value.value;
  const plan = resume?.plan ?? withoutOwnEnvironment(forPlatform(compiled, request, deps));
  checkPolicy(plan, request, task);
  refuseSecretIds(plan, secrets);
  const warnings = resume === undefined ? [...nothingToPush(request), ...loaded.value.warnings] : [];
  return { plan, context, secrets, parts, built, workspaceVolume, warnings };
}

/** Ids of steps are in events, labels and answers, where nothing is masked: they name things. */
function refuseSecretIds({ steps }: Plan, secrets: RunSecrets): void {
  const masker = createMasker(secrets.masked());
  const position = steps.findIndex(({ id }) => masker.maskText(id) !== id);
  if (position === -1) return;
  throw new EngineError('bad-task', `the id of the step at position ${position} holds a secret`, {
    help: 'Whoever may see the run sees the ids of its steps: give it another.',
  });
}

function taskInputs(
  run: ActiveRun,
  { addresses }: AgentDependencies,
  text: TaskSource,
  prepared: {
    readonly context: OpenedContext;
    readonly secrets: RunSecrets;
    readonly workspaceVolume: string;
    readonly signal: AbortSignal;
  },
): TaskInputs {
  const { assignment } = run;
  const { request } = assignment;
  const { taskDirectory, source } = prepared.context;
  return {
    ...text,
    run: runVariables(assignment, source, prepared.workspaceVolume),
    env: request.env,
    limits: SHARED_TASK_LIMITS,
    now: new Date(assignment.createTime),
    readAliasSource: createAliasReader(taskDirectory, { addresses, signal: prepared.signal }),
    resolveSecrets: (references) => prepared.secrets.resolve(references),
    ...(request.task === undefined ? {} : { taskName: request.task }),
  };
}

function nothingToPush({ step, noPush }: RunRequest): readonly Diagnostic[] {
  if (step.type !== 'Docker' || !step.isPushEnabled || noPush || step.imageNames.length > 0) return [];
  const message = 'the task is to push what it builds, and names no image: there is nothing to push';
  return [{ code: 'nothing-to-push', severity: 'warning', message, help: 'name the image, or turn pushing off' }];
}

/** Only another platform than the agent's is worth saying: engines refuse local images that say nothing of theirs. */
function forPlatform(plan: Plan, { platform }: RunRequest, { describe }: AgentDependencies): Plan {
  const same =
    platform.os === describe.platform.os && platform.architecture === describe.platform.architecture && platform.variant === undefined;
  return same
    ? plan
    : withPlatform(plan, [platform.os, platform.architecture, platform.variant].filter((part) => part !== undefined).join('/'));
}
