import type { CredentialInput, StepInput } from '../../model/task-input.ts';
import { completeRun, NO_RIGHTS } from './complete-run.ts';
import { completePlatform } from './complete-task.ts';
import { checkCredentials } from './definition-checks.ts';
import { refuseFields } from './field-problem.ts';
import { checkSettings, type MadeRun, placeInRun, type RunReason, type RunSettings } from './run-settings.ts';
import { placeCredential, placeStep } from './secret-places.ts';
import { checkStep, type StepType } from './step-checks.ts';
import type { TaskDefaults } from './task-defaults.ts';

/** A run without a task, as ACR's request types say it. */
interface QuickRunInput extends RunSettings, Omit<StepInput, 'type' | 'contextPath'> {
  readonly type: 'DockerBuildRequest' | 'FileTaskRunRequest' | 'EncodedTaskRunRequest';
  readonly sourceLocation?: string;
  readonly agentConfiguration?: { readonly cpu: number };
  readonly registry?: string;
  readonly credentials?: readonly CredentialInput[];
}

const QUICK_TYPES = {
  DockerBuildRequest: 'Docker',
  FileTaskRunRequest: 'FileTask',
  EncodedTaskRunRequest: 'EncodedTask',
} as const satisfies Record<QuickRunInput['type'], StepType>;

/** A quick build, a quick run, or a run of a task file that comes with the request. Throws EngineError `invalid-request`. */
export function makeQuickRun(input: QuickRunInput, reason: RunReason, defaults: TaskDefaults): MadeRun {
  const { type, sourceLocation, contextAccessToken, credentials = [] } = input;
  const {
    dockerFilePath,
    imageNames,
    isPushEnabled,
    noCache,
    target,
    taskFilePath,
    valuesFilePath,
    values,
    encodedTaskContent,
    encodedValuesContent,
  } = input;
  const step: StepInput = definedOnly({
    ...{
      contextPath: sourceLocation,
      contextAccessToken,
      dockerFilePath,
      imageNames,
      isPushEnabled,
      noCache,
      target,
      arguments: input.arguments,
    },
    ...{ taskFilePath, valuesFilePath, values, encodedTaskContent, encodedValuesContent, type: QUICK_TYPES[type] },
  });
  const stepProblems = checkStep(step).map((problem) => ({ ...problem, field: quickField(problem.field) }));
  const secrets: Record<string, string> = {};
  const problems = [...checkSettings(input, defaults), ...stepProblems, ...checkCredentials(credentials, 'credentials')];
  refuseFields(problems);
  const place = placeInRun(secrets, problems);
  const made = {
    runType: type === 'DockerBuildRequest' ? ('QuickBuild' as const) : ('QuickRun' as const),
    step: placeStep(QUICK_TYPES[type], step, place),
    platform: completePlatform(input.platform, defaults),
    cpu: input.agentConfiguration?.cpu ?? defaults.cpu,
    timeout: input.timeout ?? defaults.timeout.standard,
    registry: input.registry ?? defaults.registry,
    credentials: credentials.map((credential) => placeCredential(credential, place)),
    policy: NO_RIGHTS,
    agentPoolName: input.agentPoolName ?? defaults.agentPoolName,
    priority: input.priority ?? 0,
  };
  refuseFields(problems);
  return { request: completeRun(made, input, reason, defaults), secrets };
}

/** The request has the fields of a step beside its own. */
function quickField(field: string): string {
  return field.replace(/^step\./, '').replace(/^contextPath/, 'sourceLocation');
}

function definedOnly<Value extends object>(value: { readonly [Key in keyof Value]: Value[Key] | undefined }): Value {
  // What is left has every field that it has with a value.
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Value;
}
