import type { Cause, RunType } from '../../model/run-record.ts';
import type { TaskDefinition } from '../../model/task-definition.ts';
import { completeRun, NO_RIGHTS } from './complete-run.ts';
import { completePlatform } from './complete-task.ts';
import { type FieldProblem, refuseFields } from './field-problem.ts';
import { checkSettings, type MadeRun, placeInRun, type RunReason, type RunSettings } from './run-settings.ts';
import type { StepType } from './step-checks.ts';
import { checkOverrides, contextOf, overrideStep, replacesCode, type StepOverrides } from './step-overrides.ts';
import type { TaskDefaults } from './task-defaults.ts';

/**
 * A run of a task, with what this run has otherwise. A disabled task can be run by hand, as in ACR: what starts runs by itself looks at the
 * status first. Throws EngineError `invalid-request`.
 */
export function makeRunRequest(
  definition: TaskDefinition,
  overrides: StepOverrides & RunSettings,
  reason: RunReason,
  defaults: TaskDefaults,
): MadeRun {
  refuseFields([...checkSettings(overrides, defaults), ...checkOverrides(definition.step, overrides)]);
  const secrets: Record<string, string> = {};
  const problems: FieldProblem[] = [];
  const own = contextOf(definition.step, reason.source?.contextPath);
  const step = overrideStep(own, overrides, placeInRun(secrets, problems));
  refuseFields(problems);
  const { maxParallelRuns } = definition;
  const ownPart = {
    task: definition.name,
    runType: runTypeOf(step.type, reason.causes),
    step,
    platform: overrides.platform === undefined ? definition.platform : completePlatform(overrides.platform, defaults),
    cpu: definition.agentConfiguration.cpu,
    timeout: overrides.timeout ?? definition.timeout,
    registry: definition.registry ?? defaults.registry,
    credentials: definition.credentials,
    // Special rights were given to what the task runs, not to whatever somebody puts in its place.
    policy: replacesCode(overrides) && reason.keepPolicy !== true ? NO_RIGHTS : definition.policy,
    agentPoolName: overrides.agentPoolName ?? definition.agentPoolName,
    priority: overrides.priority ?? definition.priority,
    ...(maxParallelRuns === undefined ? {} : { maxParallelRuns }),
    ...(overrides.updateTriggerToken === undefined ? {} : { updateTriggerToken: overrides.updateTriggerToken }),
  };
  return {
    request: completeRun(ownPart, { ...overrides, concurrency: overrides.concurrency ?? definition.concurrency }, reason, defaults),
    secrets,
  };
}

function runTypeOf(type: StepType, causes: readonly Cause[]): RunType {
  const byHand = causes[0] === undefined || causes[0].kind === 'manual' || causes[0].kind === 'rerun';
  if (type === 'Docker') return byHand ? 'QuickBuild' : 'AutoBuild';
  return byHand ? 'QuickRun' : 'AutoRun';
}
