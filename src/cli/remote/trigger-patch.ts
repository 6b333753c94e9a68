import type { TaskPatch, TaskResource } from '../../api/task-schema.ts';
import type { TriggersShown } from '../../api/task-trigger-schema.ts';
import { EngineError } from '../../model/engine-error.ts';
import { contextRepository, SOURCE_TRIGGER_NAME } from '../../service/tasks/complete-triggers.ts';
import { sourceControlTypeOf } from '../../service/tasks/source-control-type.ts';
import { ENDPOINT_FIELD } from '../../service/tasks/trigger-places.ts';
import { nearestName } from '../../util/nearest-name.ts';
import type { Io } from '../io.ts';
import { missingFlag } from './flag-error.ts';
import type { TaskDefinitionFlags } from './task-flags.ts';
import { baseImageFields, eventsOf, refuseUnpostedPayload, sourceFields, timerFields } from './trigger-body.ts';
import { type SourceField, sourceFieldOf } from './unset-fields.ts';

type TriggersPatch = NonNullable<TaskPatch['trigger']>;
type Source = TriggersShown['sourceTriggers'][number];
type Timer = TriggersShown['timerTriggers'][number];

/** What `task update` changes of a task's triggers; undefined for nothing. `unset`: as commander gave it. Rejects with FlagError. */
export async function triggersPatchOf(
  current: TaskResource,
  flags: TaskDefinitionFlags,
  unset: readonly string[],
  io: Io,
): Promise<TriggersPatch | undefined> {
  const source = sourcePatch(
    current,
    flags,
    unset.flatMap((path) => sourceFieldOf(path) ?? []),
  );
  const timers = timersPatch(current, flags);
  refuseUnpostedPayload(flags, hasEndpoint(current) && !unset.some((path) => ENDPOINT_PATHS.includes(path)));
  const base = await baseImagePatch(current, flags, io);
  const patch: TriggersPatch = {
    ...(source === undefined ? {} : { sourceTriggers: { set: [source] } }),
    ...(timers.length === 0 ? {} : { timerTriggers: { set: timers } }),
    ...(base === undefined ? {} : { baseImageTrigger: base }),
    ...(flags.after.length === 0
      ? {}
      : { afterTriggers: { set: flags.after.map((after) => ({ name: `after-${after.task}`, ...after })) } }),
  };
  return Object.keys(patch).length === 0 ? undefined : patch;
}

const AFTER = 'trigger.afterTriggers.';

/** A trigger that follows a task may be named by that task. */
export function afterPathOf(path: string, { trigger }: TaskResource): string {
  const name = path.slice(AFTER.length);
  if (!path.startsWith(AFTER) || trigger.afterTriggers.some((after) => after.name === name)) return path;
  return `${AFTER}${trigger.afterTriggers.find(({ task }) => task === name)?.name ?? name}`;
}

/** The trigger as it is with what the flags change. One of which nothing is left on is disabled, and not taken away. */
function sourcePatch(current: TaskResource, flags: TaskDefinitionFlags, emptied: readonly SourceField[]) {
  const { commitTriggerEnabled: commit, pullRequestTriggerEnabled: pullRequest, tag, branch } = flags;
  const { name: _, ...fields } = sourceFields(flags, branchesOfNamed(flags));
  const named = [commit, pullRequest, flags.sourceTriggerName].some((flag) => flag !== undefined);
  // Which of several is meant is asked only of who wants to change one.
  if (!named && branch.length === 0 && emptied.length === 0 && Object.keys(fields).length === 0) return undefined;
  const before = chosenSource(current.trigger.sourceTriggers, flags.sourceTriggerName);
  // One plain name is the branch of the context: patterns of before would say otherwise.
  const contextBranch = branch.length === 1 && fields.branches === undefined && (before?.branches.length ?? 0) > 0 ? { branches: [] } : {};
  const changed = { ...fields, ...contextBranch };
  const asked = Object.keys(changed).length > 0 || emptied.length > 0 || pullRequest !== undefined;
  if (!asked && (commit === undefined || (before === undefined && !commit))) return undefined;
  const known = new Set(before?.sourceTriggerEvents);
  const events = eventsOf({
    commit: commit ?? (before === undefined || known.has('commit')),
    pullRequest: pullRequest ?? known.has('pullrequest'),
    tag: tag.length > 0 || (known.has('tag') && !emptied.includes('tags')),
  });
  const on = commit === true || pullRequest === true || before === undefined;
  return {
    name: flags.sourceTriggerName ?? SOURCE_TRIGGER_NAME,
    ...(before === undefined ? {} : without(before, emptied)),
    ...changed,
    ...(before === undefined || changed.paths === undefined ? {} : { paths: { ...without(before, emptied).paths, ...changed.paths } }),
    ...(before === undefined ? {} : { sourceRepository: { ...movedRepository(before, current, flags), ...changed.sourceRepository } }),
    ...(events.length > 0
      ? { sourceTriggerEvents: events, ...(on ? { status: 'Enabled' as const } : {}) }
      : { sourceTriggerEvents: lastEvents(before, emptied), status: 'Disabled' as const }),
  };
}

/** Of a trigger that is named `--branch` says what it follows, and nothing of the context. */
export function branchesOfNamed({ sourceTriggerName, branch }: TaskDefinitionFlags): readonly string[] | undefined {
  return sourceTriggerName === undefined || branch.length === 0 ? undefined : branch;
}

/** A trigger of the context's repository follows the context to another one. */
function movedRepository(
  { sourceRepository }: Source,
  { step }: TaskResource,
  flags: TaskDefinitionFlags,
): Partial<Source['sourceRepository']> {
  const [from, to] = [contextRepository(step.contextPath)?.url, contextRepository(flags.context)?.url];
  if (to === undefined || sourceRepository.repositoryUrl !== from) return sourceRepository;
  const { sourceControlType, ...rest } = sourceRepository;
  const told = sourceControlType === sourceControlTypeOf(from) ? {} : { sourceControlType };
  return { ...rest, ...told, repositoryUrl: to };
}

/** What a disabled trigger was for, so that it can be enabled again. */
function lastEvents(before: Source | undefined, emptied: readonly SourceField[]): Source['sourceTriggerEvents'] {
  const events = (before?.sourceTriggerEvents ?? []).filter((event) => event !== 'tag' || !emptied.includes('tags'));
  return events.length > 0 ? events : ['commit'];
}

function chosenSource(sources: readonly Source[], name: string | undefined): Source | undefined {
  if (name !== undefined || sources.length < 2) return name === undefined ? sources[0] : sources.find((source) => source.name === name);
  const standard = sources.find((source) => source.name === SOURCE_TRIGGER_NAME);
  if (standard !== undefined) return standard;
  throw missingFlag(
    `the task has ${sources.length} source triggers: ${sources.map((source) => source.name).join(', ')}`,
    'say which with `--source-trigger-name NAME`',
  );
}

function without(source: Source, emptied: readonly SourceField[]): Source {
  const { pollInterval, ...rest } = source;
  return {
    ...rest,
    ...(pollInterval === undefined || emptied.includes('pollInterval') ? {} : { pollInterval }),
    branches: emptied.includes('branches') ? [] : source.branches,
    tags: emptied.includes('tags') ? [] : source.tags,
    paths: {
      include: emptied.includes('include') ? [] : source.paths.include,
      exclude: emptied.includes('exclude') ? [] : source.paths.exclude,
    },
  };
}

/** Timers of `--schedule`: a name that is there is changed, another is added. Without one the other flags are of every timer. */
function timersPatch({ trigger }: TaskResource, flags: TaskDefinitionFlags): readonly (Partial<Timer> & Pick<Timer, 'schedule'>)[] {
  const how = timerFields(flags);
  const timers = trigger.timerTriggers;
  if (flags.schedule.length > 0) {
    return flags.schedule.map(({ name, schedule }) => {
      const before = name === undefined ? {} : timers.find((timer) => timer.name === name);
      return { ...before, ...(name === undefined ? {} : { name }), schedule, ...how };
    });
  }
  if (Object.keys(how).length === 0) return [];
  if (timers.length === 0) throw missingFlag('the task has no timers', 'add one with `--schedule "NAME:0 3 * * *"`');
  return timers.map((timer) => ({ ...timer, ...how }));
}

const ENDPOINT_PATHS: readonly string[] = ['trigger', 'trigger.baseImageTrigger', ENDPOINT_FIELD];

function hasEndpoint({ trigger }: TaskResource): boolean {
  return trigger.baseImageTrigger?.updateTriggerEndpoint !== undefined;
}

async function baseImagePatch({ trigger }: TaskResource, flags: TaskDefinitionFlags, io: Io): Promise<TriggersPatch['baseImageTrigger']> {
  const { tracks, ...fields } = await baseImageFields(flags, io);
  const enabled = flags.baseImageTriggerEnabled;
  if (enabled === undefined && tracks === undefined && Object.keys(fields).length === 0) return undefined;
  if (enabled === false && trigger.baseImageTrigger === undefined) return undefined;
  return {
    ...fields,
    ...(enabled === undefined ? {} : { status: enabled ? 'Enabled' : 'Disabled' }),
    ...(tracks === undefined ? {} : { tracks: { set: tracks } }),
  };
}

/** The trigger of this name; a near miss is named. */
export function triggerNamed<Trigger extends { readonly name: string }>(
  task: string,
  triggers: readonly Trigger[],
  name: string,
  what: string,
): Trigger {
  const found = triggers.find((trigger) => trigger.name === name);
  if (found !== undefined) return found;
  const near = nearestName(
    name,
    triggers.map((trigger) => trigger.name),
  );
  const known = triggers.length === 0 ? 'it has none' : `it has ${triggers.map((trigger) => trigger.name).join(', ')}`;
  throw new EngineError('not-found', `${task} has no ${what} ${JSON.stringify(name)}: ${known}`, {
    help: near === undefined ? `\`task trigger list ${task}\` shows them` : `did you mean ${JSON.stringify(near)}?`,
  });
}
