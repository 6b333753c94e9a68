import type { SecretInput } from '../../api/common.ts';
import type { TriggersInput, TriggersShown } from '../../api/task-trigger-schema.ts';
import { contextRepository, isCommit } from '../../service/tasks/complete-triggers.ts';
import { FORGES, type TimerFlags } from '../flags/trigger-flags.ts';
import type { Io } from '../io.ts';
import { defined } from './defined.ts';
import { conflict, FlagError, missingFlag } from './flag-error.ts';
import { readSecretInput } from './secret-input.ts';
import type { TaskDefinitionFlags } from './task-flags.ts';

type SourceInput = NonNullable<TriggersInput['sourceTriggers']>[number];
type BaseImageInput = NonNullable<TriggersInput['baseImageTrigger']>;
type TimerInput = NonNullable<TriggersInput['timerTriggers']>[number];
type SourceEvent = TriggersShown['sourceTriggers'][number]['sourceTriggerEvents'][number];

/** A glob, or one of several names: a trigger takes it, a context does not. */
const PATTERN = /[*?[\]{}!]/;

/** What is no git URL for want of its ending is what browsers show of a repository. */
export const GIT_URL_HELP =
  'the URL of a repository ends in `.git`, as in `--context https://git.example/me/app.git`, or is that of a forge that is known';

/** Of `--branch` the one that the context is at: the first that is a plain name. */
export function branchOfContext({ branch }: Pick<TaskDefinitionFlags, 'branch'>): string | undefined {
  return branch.find((name) => !PATTERN.test(name));
}

/** Of `--branch` what a trigger follows; a single name is that of the context, which it follows anyway. */
function branchGlobs({ branch }: Pick<TaskDefinitionFlags, 'branch'>): readonly string[] | undefined {
  return branch.length === 0 || (branch.length === 1 && branchOfContext({ branch }) !== undefined) ? undefined : branch;
}

/** The triggers that `task create` sends; undefined when no flag speaks of them: then the daemon has ACR's. Rejects with FlagError. */
export async function triggersOfFlags(context: string | undefined, flags: TaskDefinitionFlags, io: Io): Promise<TriggersInput | undefined> {
  const [source, base] = [sourceFields(flags), await baseImageFields(flags, io)];
  const timers = timersOfFlags(flags);
  if (!speaksOfTriggers(flags, source, base)) return undefined;
  const sourceTrigger = newSource(context, flags, source);
  if (flags.baseImageTriggerEnabled === false && Object.keys(base).length > 0)
    throw conflict('flags of the base image trigger need it enabled', 'leave `--base-image-trigger-enabled false` out');
  refuseUnpostedPayload(flags, false);
  return {
    ...(sourceTrigger === undefined ? {} : { sourceTriggers: [sourceTrigger] }),
    timerTriggers: timers,
    ...(flags.baseImageTriggerEnabled === false ? {} : { baseImageTrigger: base }),
    afterTriggers: flags.after,
  };
}

function speaksOfTriggers(flags: TaskDefinitionFlags, source: object, base: object): boolean {
  const { commitTriggerEnabled, pullRequestTriggerEnabled, baseImageTriggerEnabled, schedule, after } = flags;
  const named = [commitTriggerEnabled, pullRequestTriggerEnabled, baseImageTriggerEnabled].some((flag) => flag !== undefined);
  return named || schedule.length > 0 || after.length > 0 || Object.keys(source).length > 0 || Object.keys(base).length > 0;
}

function newSource(context: string | undefined, flags: TaskDefinitionFlags, fields: Partial<SourceInput>): SourceInput | undefined {
  const repository = contextRepository(context);
  const asked = flags.commitTriggerEnabled === true || flags.pullRequestTriggerEnabled === true || Object.keys(fields).length > 0;
  if (repository === undefined) {
    if (asked) throw conflict('a task can be started by git only with a git context', GIT_URL_HELP);
    return undefined;
  }
  const commit = flags.commitTriggerEnabled ?? !isCommit(repository.ref);
  const events = eventsOf({ commit, pullRequest: flags.pullRequestTriggerEnabled ?? false, tag: flags.tag.length > 0 });
  if (events.length > 0) return { ...fields, sourceTriggerEvents: events };
  if (Object.keys(fields).length === 0) return undefined;
  throw conflict(
    'nothing of the repository starts the task',
    'enable commits, pull requests or tags (`--tag GLOB`), or leave the other flags of git out',
  );
}

export function eventsOf(on: { readonly commit: boolean; readonly pullRequest: boolean; readonly tag: boolean }): readonly SourceEvent[] {
  return [
    ...(on.commit ? ['commit' as const] : []),
    ...(on.pullRequest ? ['pullrequest' as const] : []),
    ...(on.tag ? ['tag' as const] : []),
  ];
}

/** What flags say of a source trigger, but for its events. `branches`: what it follows when that is not the branch of the context. */
export function sourceFields(flags: TaskDefinitionFlags, branches = branchGlobs(flags)): Partial<SourceInput> {
  const paths = { ...list('include', flags.includePath), ...list('exclude', flags.excludePath) };
  return {
    ...defined({
      name: flags.sourceTriggerName,
      branches,
      skipCi: flags.skipCi,
      latestOnly: flags.latestOnly,
      forks: flags.forks,
      pollInterval: flags.pollInterval === undefined ? undefined : seconds(flags.pollInterval),
      commitStatus: flags.commitStatus,
    }),
    ...list('tags', flags.tag),
    ...(Object.keys(paths).length === 0 ? {} : { paths }),
    ...(flags.forge === undefined ? {} : { sourceRepository: { sourceControlType: FORGES[flags.forge] } }),
  };
}

/** What flags say of the base image trigger, but for whether it is on. */
export async function baseImageFields(flags: TaskDefinitionFlags, io: Io): Promise<BaseImageInput> {
  const { baseImageWindow: window, baseImagePoll: poll } = flags;
  return {
    ...defined({
      name: flags.baseImageTriggerName,
      baseImageTriggerType: flags.baseImageTriggerType,
      updateTriggerEndpoint: await endpoint(flags, io),
      updateTriggerPayloadType: flags.updateTriggerPayloadType,
      trackIndex: flags.trackIndex,
      window: window === undefined ? undefined : seconds(window),
      poll: poll === undefined ? undefined : { least: seconds(poll.least), most: seconds(poll.most) },
    }),
    ...list('tracks', flags.track),
  };
}

/** What is posted says nothing where nothing is posted. `posts`: the task has an endpoint already, and keeps it. */
export function refuseUnpostedPayload(flags: TaskDefinitionFlags, posts: boolean): void {
  const { updateTriggerPayloadType: type, updateTriggerEndpoint: given } = flags;
  if (type === undefined || given !== undefined || posts) return;
  throw missingFlag(
    `\`--update-trigger-payload-type ${type}\` says what is posted, and without \`--update-trigger-endpoint\` nothing is: the task runs`,
    'add `--update-trigger-endpoint URL`, or leave it out',
  );
}

async function endpoint({ updateTriggerEndpoint: given }: TaskDefinitionFlags, io: Io): Promise<SecretInput | undefined> {
  if (given === undefined) return undefined;
  const read = await readSecretInput('--update-trigger-endpoint', { name: 'value', value: given }, io, { literal: true });
  if (!read.ok) throw new FlagError([read.error]);
  return read.value;
}

/** The timers of `--schedule`. */
function timersOfFlags(flags: TaskDefinitionFlags): readonly TimerInput[] {
  const how = timerFields(flags);
  if (flags.schedule.length === 0 && Object.keys(how).length > 0)
    throw missingFlag('`--on-missed`, `--overlap` and `--jitter` are of timers', 'add one with `--schedule "NAME:0 3 * * *"`');
  return flags.schedule.map((schedule) => ({ ...schedule, ...how }));
}

/** What flags say of how a timer starts runs. */
export function timerFields({ onMissed, overlap, jitter }: TimerFlags) {
  return { ...onMissed, ...defined({ overlap, jitter: jitter === undefined ? undefined : seconds(jitter) }) };
}

function list<Name extends string, Item>(name: Name, items: readonly Item[]): { readonly [Field in Name]?: readonly Item[] } {
  return (items.length === 0 ? {} : { [name]: items }) as { readonly [Field in Name]?: readonly Item[] };
}

function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}
