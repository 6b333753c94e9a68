import { SECRET_FIELDS } from '../../model/ports/secret-box.ts';
import type {
  AfterTriggerInput,
  BaseImageTriggerInput,
  SourceTriggerInput,
  StepInput,
  TaskInput,
  TimerTriggerInput,
  TriggersInput,
} from '../../model/task-input.ts';
import type {
  AfterTrigger,
  BaseImageTrigger,
  SourceRepository,
  SourceTrigger,
  TaskTriggers,
  TimerTrigger,
} from '../../model/trigger-definition.ts';
import { classifyContext, localRepository } from '../../task/build/context.ts';
import type { PlaceSecret } from './secret-places.ts';
import { sourceControlTypeOf } from './source-control-type.ts';

/** Names of ACR. */
export const SOURCE_TRIGGER_NAME = 'defaultSourceTriggerName';
export const BASE_IMAGE_TRIGGER_NAME = 'defaultBaseimageTriggerName';

/** Whether a ref is a whole commit id: what it names never changes. */
export function isCommit(ref: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(ref);
}

/** The git repository of a step's context, and the ref that it names (empty for the default branch). Undefined for other contexts. */
export function contextRepository(contextPath: string | undefined): { readonly url: string; readonly ref: string } | undefined {
  const context = contextPath === undefined ? undefined : (localRepository(contextPath) ?? classifyContext(contextPath));
  return context?.kind === 'git' ? { url: withoutUser(context.url), ref: context.ref } : undefined;
}

/** Whom a repository is read as is told by the token. Of ssh the user belongs to the address. */
function withoutUser(url: string): string {
  return url.replace(/^(https?:\/\/)[^/@]*@/i, '$1');
}

/**
 * What starts a task that does not say it, as in ACR: commits of its context, and updates of its base images. A context that names a commit never
 * changes, so no commit starts it.
 */
function defaultTriggers({ contextPath }: StepInput): TriggersInput {
  const repository = contextRepository(contextPath);
  return { ...(repository === undefined || isCommit(repository.ref) ? {} : { sourceTriggers: [{}] }), baseImageTrigger: {} };
}

/** The triggers of an input, each with its name: those that are left out have ACR's, timers the first of `t1`, `t2`, … that is free. */
export function namedTriggers({ step, trigger = defaultTriggers(step) }: Pick<TaskInput, 'step' | 'trigger'>): NamedTriggers {
  const { sourceTriggers = [], timerTriggers = [], baseImageTrigger, afterTriggers = [] } = trigger;
  const taken = new Set([...sourceTriggers, ...timerTriggers, ...afterTriggers, baseImageTrigger ?? {}].map(({ name }) => name));
  return {
    sourceTriggers: sourceTriggers.map((source) => ({ ...source, name: source.name ?? SOURCE_TRIGGER_NAME })),
    timerTriggers: timerTriggers.map((timer) => ({ ...timer, name: timer.name ?? nextTimerName(taken) })),
    ...(baseImageTrigger === undefined
      ? {}
      : { baseImageTrigger: { ...baseImageTrigger, name: baseImageTrigger.name ?? BASE_IMAGE_TRIGGER_NAME } }),
    afterTriggers: afterTriggers.map((after) => ({
      ...after,
      name: after.name ?? `after-${after.task.replaceAll(/[^A-Za-z0-9._-]/g, '-')}`.slice(0, 63),
    })),
  };
}

interface Name {
  readonly name: string;
}

export interface NamedTriggers {
  readonly sourceTriggers: readonly (SourceTriggerInput & Name)[];
  readonly timerTriggers: readonly (TimerTriggerInput & Name)[];
  readonly baseImageTrigger?: BaseImageTriggerInput & Name;
  readonly afterTriggers: readonly (AfterTriggerInput & Name)[];
}

function nextTimerName(taken: Set<string | undefined>): string {
  for (let number = 1; ; number += 1) {
    const name = `t${number}`;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}

/** The triggers that an input means, after they were checked. */
export function completeTriggers(input: Pick<TaskInput, 'step' | 'trigger'>, place: PlaceSecret): TaskTriggers {
  const { sourceTriggers, timerTriggers, baseImageTrigger, afterTriggers } = namedTriggers(input);
  return {
    sourceTriggers: sourceTriggers.map((source) => completeSource(source, input.step, place)),
    timerTriggers: timerTriggers.map(completeTimer),
    ...(baseImageTrigger === undefined ? {} : { baseImageTrigger: completeBaseImage(baseImageTrigger, place) }),
    afterTriggers: afterTriggers.map(completeAfter),
  };
}

/** Events that are left out are commits, and tags where some are named. */
export function sourceEventsOf({ sourceTriggerEvents, tags = [] }: SourceTriggerInput): SourceTrigger['sourceTriggerEvents'] {
  return sourceTriggerEvents ?? (tags.length === 0 ? ['commit'] : ['commit', 'tag']);
}

function completeSource(source: SourceTriggerInput & Name, step: StepInput, place: PlaceSecret): SourceTrigger {
  const { name, pollInterval, paths } = source;
  return {
    name,
    status: source.status ?? 'Enabled',
    sourceTriggerEvents: sourceEventsOf(source),
    sourceRepository: completeRepository(source, step, place),
    branches: source.branches ?? [],
    tags: source.tags ?? [],
    paths: { include: paths?.include ?? [], exclude: paths?.exclude ?? [] },
    skipCi: source.skipCi ?? false,
    latestOnly: source.latestOnly ?? false,
    forks: source.forks ?? 'approve',
    ...(pollInterval === undefined ? {} : { pollInterval }),
    commitStatus: source.commitStatus ?? true,
  };
}

function completeRepository({ name, sourceRepository }: SourceTriggerInput & Name, step: StepInput, place: PlaceSecret): SourceRepository {
  const { branch, sourceControlAuthProperties: auth } = sourceRepository ?? {};
  const repositoryUrl = withoutUser(sourceRepository?.repositoryUrl ?? contextRepository(step.contextPath)?.url ?? '');
  return {
    sourceControlType: sourceRepository?.sourceControlType ?? sourceControlTypeOf(repositoryUrl),
    repositoryUrl,
    ...(branch === undefined ? {} : { branch }),
    ...(auth === undefined
      ? {}
      : { sourceControlAuthProperties: { tokenType: auth.tokenType ?? 'PAT', token: place(SECRET_FIELDS.sourceToken(name), auth.token) } }),
  };
}

function completeTimer(timer: TimerTriggerInput & Name): TimerTrigger {
  return {
    name: timer.name,
    schedule: timer.schedule,
    status: timer.status ?? 'Enabled',
    onMissed: timer.onMissed ?? 'latest',
    mostMissed: timer.mostMissed ?? 10,
    overlap: timer.overlap ?? 'allow',
    jitter: timer.jitter ?? 0,
  };
}

function completeBaseImage(base: BaseImageTriggerInput & Name, place: PlaceSecret): BaseImageTrigger {
  const { name, updateTriggerEndpoint: endpoint, window, poll, tracks = [] } = base;
  return {
    name,
    status: base.status ?? 'Enabled',
    baseImageTriggerType: base.baseImageTriggerType ?? 'Runtime',
    ...(endpoint === undefined ? {} : { updateTriggerEndpoint: place(SECRET_FIELDS.updateTriggerEndpoint, endpoint) }),
    updateTriggerPayloadType: base.updateTriggerPayloadType ?? 'Default',
    ...(window === undefined ? {} : { window }),
    ...(poll === undefined ? {} : { poll }),
    trackIndex: base.trackIndex ?? false,
    tracks: tracks.map(({ image, by, pattern }) => ({ image, by: by ?? 'digest', ...(pattern === undefined ? {} : { pattern }) })),
  };
}

function completeAfter(after: AfterTriggerInput & Name): AfterTrigger {
  return { name: after.name, status: after.status ?? 'Enabled', task: after.task, on: after.on ?? 'succeeded' };
}
