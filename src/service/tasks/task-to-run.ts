import type { FireOrder } from '../../model/ports/run-starter.ts';
import { SEALED_WITH_RUN } from '../../model/ports/secret-box.ts';
import { type Cause, type RunRequest, type RunType, type TrustClass, triggerWord } from '../../model/run-record.ts';
import type { SecretRef, TaskConcurrency, TaskDefinition, TaskStepDefinition } from '../../model/task-definition.ts';
import type { CredentialInput, SecretInput, StepInput, TaskInput } from '../../model/task-input.ts';
import { classifyContext } from '../../task/build/context.ts';
import { completePlatform } from './complete-task.ts';
import { checkConcurrency, checkCredentials, checkPlatform } from './definition-checks.ts';
import { type FieldProblem, refuseFields } from './field-problem.ts';
import { argumentsOf, type PlaceSecret, placeCredential, placeStep } from './secret-places.ts';
import { checkStep, type StepType } from './step-checks.ts';
import { checkOverrides, contextOf, overrideStep, replacesCode, type StepOverrides } from './step-overrides.ts';
import type { TaskDefaults } from './task-defaults.ts';

/** What any request for a run may say. */
export interface RunSettings {
  readonly priority?: number;
  /** Seconds. */
  readonly queueTimeout?: number;
  readonly timeout?: number;
  readonly platform?: TaskInput['platform'];
  readonly concurrency?: TaskInput['concurrency'];
  readonly env?: readonly string[];
  readonly noPush?: boolean;
  readonly keepGoing?: boolean;
  readonly extended?: boolean;
  readonly agentPoolName?: string;
}

/** A run without a task, as ACR's request types say it. */
export interface QuickRunInput extends RunSettings, Omit<StepInput, 'type' | 'contextPath'> {
  readonly type: 'DockerBuildRequest' | 'FileTaskRunRequest' | 'EncodedTaskRunRequest';
  readonly sourceLocation?: string;
  readonly agentConfiguration?: { readonly cpu: number };
  readonly registry?: string;
  readonly credentials?: readonly CredentialInput[];
}

export interface RunReason {
  /** Nearest first. */
  readonly causes: readonly Cause[];
  /** Overrides what the causes tell. */
  readonly trust?: TrustClass;
  /** The one who asks holds the scope `admin` (`holds`): the special rights of a task hold for overridden contexts and files too. */
  readonly keepPolicy?: boolean;
  /** The context and commit that a trigger decides, of the task's own repository: its rights stay. */
  readonly source?: FireOrder['source'];
  /** What the task's tracks chose. */
  readonly baseImages?: RunRequest['baseImages'];
  readonly background?: boolean;
}

/** A request to be stored, and the values that came with it by field: the run service seals them with the run. */
export interface MadeRun {
  readonly request: RunRequest;
  readonly secrets: Readonly<Record<string, string>>;
}

const NO_RIGHTS = { privileged: false, hostMounts: false, dockerSocket: false };
const LONGEST_GROUP = 512;
const QUICK_TYPES = {
  DockerBuildRequest: 'Docker',
  FileTaskRunRequest: 'FileTask',
  EncodedTaskRunRequest: 'EncodedTask',
} as const satisfies Record<QuickRunInput['type'], StepType>;

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
    request: finish(ownPart, { ...overrides, concurrency: overrides.concurrency ?? definition.concurrency }, reason, defaults),
    secrets,
  };
}

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
  return { request: finish(made, input, reason, defaults), secrets };
}

/** Forked pull requests cannot be told from others here: without a word from the one who knows, every pull request is one. */
export function trustOf(causes: readonly Cause[]): TrustClass {
  return causes.some((cause) => cause.kind === 'source' && cause.event === 'pullrequest') ? 'untrusted' : 'trusted';
}

/** `${task}`, `${branch}`, `${commit}` and `${pullRequest}`; what is not known is empty. What is put in is not looked at again. */
export function expandGroup(group: string, values: Readonly<Record<'task' | 'branch' | 'commit' | 'pullRequest', string>>): string {
  const text = group.replaceAll(/\$\{(task|branch|commit|pullRequest)\}/g, (_, name: keyof typeof values) => values[name]);
  return text.slice(0, LONGEST_GROUP);
}

type OwnPart = Pick<
  RunRequest,
  'runType' | 'step' | 'platform' | 'cpu' | 'timeout' | 'registry' | 'credentials' | 'policy' | 'agentPoolName' | 'priority'
> &
  Pick<RunRequest, 'task' | 'maxParallelRuns' | 'updateTriggerToken'>;

/** What a run has of its nearest cause; those behind it speak of other repositories. Of untrusted code it has no secret, no credential and no right, whatever the task says. */
function finish(
  own: OwnPart,
  settings: Omit<RunSettings, 'concurrency'> & { readonly concurrency?: RunSettings['concurrency'] | undefined },
  { causes, trust = trustOf(causes), source: place, baseImages = [], background = false }: RunReason,
  defaults: TaskDefaults,
): RunRequest {
  const trusted = trust === 'trusted';
  const { concurrency, queueTimeout } = settings;
  const source = causes[0]?.kind === 'source' ? causes[0] : undefined;
  return {
    ...own,
    ...(trusted ? {} : { step: withoutSecrets(own.step, place), credentials: [], policy: NO_RIGHTS }),
    trust,
    ...(concurrency === undefined ? {} : { concurrency: expandConcurrency(concurrency, own, source) }),
    ...(queueTimeout === undefined ? {} : { queueTimeout }),
    variables: {
      TriggeredBy: triggerWord(causes),
      ...(source === undefined ? {} : { Commit: source.commit, Repository: source.repositoryUrl }),
      ...(source?.branch === undefined ? {} : { Branch: source.branch }),
      ...(source?.tag === undefined ? {} : { GitTag: source.tag }),
    },
    causes,
    ...(place === undefined ? {} : { pinnedCommit: place.pinnedCommit }),
    ...(place?.pinnedRef === undefined ? {} : { pinnedRef: place.pinnedRef }),
    ...(place?.taskFileContext === undefined ? {} : { taskFileContext: place.taskFileContext }),
    ...(baseImages.length === 0 ? {} : { baseImages }),
    ...(background ? { background } : {}),
    extended: settings.extended ?? defaults.extended,
    noPush: (settings.noPush ?? false) || !trusted,
    keepGoing: settings.keepGoing ?? false,
    env: settings.env ?? [],
  };
}

/** The token of a context that its trigger chose stays: the agent fetches with it, and nothing that runs sees it. */
function withoutSecrets(step: TaskStepDefinition, place: RunReason['source']): TaskStepDefinition {
  const { contextAccessToken: token, ...others } = step;
  const rest = token === undefined || place?.withToken !== true ? others : { ...others, contextAccessToken: token };
  const plain = argumentsOf(step).filter(({ isSecret }) => !isSecret);
  return rest.type === 'Docker' ? { ...rest, arguments: plain } : { ...rest, values: plain };
}

type SourceCause = Extract<Cause, { readonly kind: 'source' }>;

function expandConcurrency(
  concurrency: NonNullable<TaskInput['concurrency']>,
  { task, step }: OwnPart,
  source: SourceCause | undefined,
): TaskConcurrency {
  const context = step.contextPath === undefined ? undefined : classifyContext(step.contextPath);
  const ref = context?.kind === 'git' ? context.ref : '';
  const isCommit = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(ref);
  const group = expandGroup(concurrency.group, {
    task: task ?? '',
    branch: source?.branch ?? (isCommit ? '' : ref),
    commit: source?.commit ?? (isCommit ? ref : ''),
    pullRequest: source?.pullRequest ?? '',
  });
  return { limit: 1, onConflict: 'queue', ...concurrency, group };
}

function runTypeOf(type: StepType, causes: readonly Cause[]): RunType {
  const byHand = causes[0] === undefined || causes[0].kind === 'manual' || causes[0].kind === 'rerun';
  if (type === 'Docker') return byHand ? 'QuickBuild' : 'AutoBuild';
  return byHand ? 'QuickRun' : 'AutoRun';
}

function placeInRun(secrets: Record<string, string>, problems: FieldProblem[]): PlaceSecret {
  return (field: string, input: SecretInput): SecretRef => {
    if ('secret' in input) return { secret: input.secret };
    if ('plain' in input) secrets[field] = input.plain;
    else problems.push({ field, message: 'has no stored value that could stay', help: 'Write `{ secret: NAME }`.' });
    return SEALED_WITH_RUN;
  };
}

function checkSettings(
  settings: RunSettings & { readonly agentConfiguration?: { readonly cpu: number } },
  { timeout }: TaskDefaults,
): FieldProblem[] {
  const seconds = settings.timeout;
  const badTimeout = seconds !== undefined && !(Number.isInteger(seconds) && seconds >= timeout.least && seconds <= timeout.most);
  return [
    ...checkPlatform(settings.platform, 'platform'),
    ...checkConcurrency(settings.concurrency),
    ...(badTimeout
      ? [{ field: 'timeout', message: `is ${seconds}`, expected: `a whole number from ${timeout.least} to ${timeout.most} seconds` }]
      : []),
  ];
}

/** The request has the fields of a step beside its own. */
function quickField(field: string): string {
  return field.replace(/^step\./, '').replace(/^contextPath/, 'sourceLocation');
}

function definedOnly<Value extends object>(value: { readonly [Key in keyof Value]: Value[Key] | undefined }): Value {
  // What is left has every field that it has with a value.
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Value;
}
