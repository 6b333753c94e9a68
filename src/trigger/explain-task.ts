import type { ImageDependency } from '../model/ports/image-watch-store.ts';
import type { Store } from '../model/ports/store.ts';
import type { TaskRecord } from '../model/task-definition.ts';
import {
  type AfterTrigger,
  type BaseImageTrigger,
  type SourceTrigger,
  type TimerTrigger,
  triggersOf,
} from '../model/trigger-definition.ts';
import type { Happening, ImageTag, TriggerDecision, TriggerEvent } from '../model/trigger-event.ts';
import { parseSchedule, upcoming } from '../schedule/zoned-schedule.ts';
import { canonicalRepositoryUrl } from '../util/repository-url.ts';
import { watchKey } from './git/followed.ts';
import { namedBranch } from './git/ref-filter.ts';
import { patternFor } from './image/following.ts';
import { imageTagOf, sameRepository } from './image/image-tag.ts';
import { statusProblemOfTrigger } from './status/status-problem.ts';

/** What starts a task by itself, and what came of it lately. Plain JSON. */
export interface TaskExplanation {
  readonly task: string;
  readonly status: 'Enabled' | 'Disabled';
  readonly triggers: readonly ExplainedTrigger[];
  /** Newest first. */
  readonly decisions: readonly TriggerDecision[];
  /** Events that may concern it and are not decided on, newest first: those that wait, and those that were given up. */
  readonly undecided: readonly UndecidedEvent[];
}

export interface ExplainedTrigger {
  readonly name: string;
  readonly kind: 'source' | 'timer' | 'base-image' | 'after';
  readonly status: 'Enabled' | 'Disabled';
  /** What it follows, for people. */
  readonly follows: string;
  /** When it looks, or is due, next. */
  readonly next?: string;
  readonly checkedAt?: string;
  /** Why it cannot look at what it follows, cannot fire, or cannot tell the forge how runs stand. */
  readonly problem?: string;
  /** Of a timer: its next five occurrences. */
  readonly occurrences?: readonly string[];
  /** Repositories and images that are looked at for it. */
  readonly watched: readonly Watched[];
  /** The newest decision about it, if there is one of an event that it follows. */
  readonly last?: TriggerDecision;
}

export interface Watched {
  /** URL or image, as `docker.io/library/node:20`. */
  readonly what: string;
  readonly checkedAt?: string;
  readonly nextCheck: string;
  readonly problem?: string;
}

export interface UndecidedEvent {
  readonly event: string;
  readonly kind: Happening['kind'];
  readonly at: string;
  readonly status: 'pending' | 'failed';
  readonly attempts: number;
  readonly retryAt?: string;
  readonly error?: string;
}

type ExplainStore = Pick<Store, 'events' | 'gitWatch' | 'imageWatch' | 'timers' | 'tasks' | 'runs' | 'statuses'>;
type Stand = Omit<ExplainedTrigger, 'name' | 'kind' | 'status' | 'last'>;

const MOST_EVENTS = 200;
const OCCURRENCES = 5;

export interface ExplainOptions {
  readonly now: Date;
  /** Most decisions. */
  readonly limit: number;
  /** Which credential of a registry the task looks with. */
  readonly credentialOf: (registry: string) => string;
}

/** What others see of the same repositories and images, with credentials of their own, is no concern of the task. */
export async function explainTask(store: ExplainStore, record: TaskRecord, options: ExplainOptions): Promise<TaskExplanation> {
  const { now, limit, credentialOf } = options;
  const { definition } = record;
  const triggers = triggersOf(definition);
  const decisions = await store.events.decisions({ task: definition.name, limit: Math.max(limit, MOST_EVENTS) });
  const { baseImageTrigger: base } = triggers;
  const explained = await Promise.all([
    ...triggers.sourceTriggers.map(async (one) => explainedTrigger('source', one, await sourceStand(store, record, one, now), decisions)),
    ...triggers.timerTriggers.map(async (one) => explainedTrigger('timer', one, await timerStand(store, record, one, now), decisions)),
    ...(base === undefined ? [] : [base]).map(async (one) =>
      explainedTrigger('base-image', one, await imageStand(store, record, { trigger: one, credentialOf }), decisions),
    ),
    ...triggers.afterTriggers.map(async (one) => explainedTrigger('after', one, await afterStand(store, one), decisions)),
  ]);
  return {
    ...{ task: definition.name, status: definition.status, triggers: explained },
    decisions: decisions.slice(0, limit),
    undecided: await undecidedOf(store, record),
  };
}

function explainedTrigger(
  kind: ExplainedTrigger['kind'],
  { name, status }: Pick<ExplainedTrigger, 'name' | 'status'>,
  stand: Stand,
  decisions: readonly TriggerDecision[],
): ExplainedTrigger {
  const own = decisions.filter(({ trigger }) => trigger === name);
  // That it follows other events tells nothing of how it stands.
  const last = own.find(({ code }) => code !== 'event-off') ?? own[0];
  const { next, ...rest } = stand;
  // What others still look at is not looked at for one that is disabled.
  return {
    name,
    kind,
    status,
    ...rest,
    ...(next === undefined || status === 'Disabled' ? {} : { next }),
    ...(last === undefined ? {} : { last }),
  };
}

async function sourceStand(store: ExplainStore, record: TaskRecord, trigger: SourceTrigger, now: Date): Promise<Stand> {
  const { sourceRepository, branches, tags, sourceTriggerEvents } = trigger;
  const repository = canonicalRepositoryUrl(sourceRepository.repositoryUrl) ?? sourceRepository.repositoryUrl;
  const row = await store.gitWatch.get(watchKey(record, trigger, repository));
  const known = row?.defaultBranch;
  const byDefault = `the default branch${known === undefined ? '' : ` (${known})`}`;
  const named = branches.length > 0 ? branches.join(', ') : (namedBranch({ record, trigger, repository }) ?? byDefault);
  const parts = [
    ...(sourceTriggerEvents.includes('commit') ? [`commits on ${named}`] : []),
    ...(sourceTriggerEvents.includes('tag') ? [`tags ${tags.join(', ')}`] : []),
    ...(sourceTriggerEvents.includes('pullrequest') ? [`pull requests into ${named}`] : []),
  ];
  const watched = row === undefined ? [] : [watchedOf(row.url, row.checkedAt, row.nextCheck, row.error)];
  const seen = summaryOf(watched);
  const untold = await statusProblemOfTrigger(store, { task: record.definition.name, trigger, now });
  const problems = [seen.problem, untold].filter((problem) => problem !== undefined);
  return {
    follows: `${parts.join('; ')} of ${sourceRepository.repositoryUrl}`,
    ...seen,
    ...(problems.length === 0 ? {} : { problem: problems.join('; ') }),
    watched,
  };
}

async function timerStand({ timers }: ExplainStore, { id }: TaskRecord, { name, schedule }: TimerTrigger, now: Date): Promise<Stand> {
  const row = (await timers.ofTask(id)).find((one) => one.name === name);
  const parsed = parseSchedule(schedule);
  if (!parsed.ok) return { follows: schedule, problem: parsed.error.message, watched: [] };
  const occurrences = upcoming(parsed.value, now, OCCURRENCES).map((date) => date.toISOString());
  const zone = parsed.value.zone === 'UTC' ? `${schedule} (UTC)` : schedule;
  const never = occurrences.length === 0 ? { problem: 'the schedule never comes: there is no such day' } : {};
  return { follows: zone, ...(row?.due === undefined ? {} : { next: row.due }), ...never, occurrences, watched: [] };
}

async function imageStand(
  { imageWatch }: ExplainStore,
  { id }: TaskRecord,
  { trigger, credentialOf }: { readonly trigger: BaseImageTrigger } & Pick<ExplainOptions, 'credentialOf'>,
): Promise<Stand> {
  const dependencies = await imageWatch.dependencies({ taskId: id });
  const scope = dependencies.filter(({ role }) => role === 'runtime' || trigger.baseImageTriggerType === 'All');
  const images = new Map(scope.map((row) => [watchedImage(row.image, patternFor(trigger, row)), row.image]));
  const repositories = [...images.values()].map(({ registry, repository }) => imageWatch.targets({ image: { registry, repository } }));
  const targets = (await Promise.all(repositories)).flat();
  const watched = [...new Map(targets.map((target) => [target.key, target])).values()].flatMap((target) => {
    const { image, pattern, credential, checkedAt, nextCheck, status, error } = target;
    const what = watchedImage(image, pattern);
    if (!images.has(what) || credential !== credentialOf(image.registry)) return [];
    return [watchedOf(what, checkedAt, nextCheck, error ?? (status === 'missing' ? 'the registry has no such image' : undefined))];
  });
  const analysis = await imageWatch.analysis(id);
  const none = analysis === undefined ? 'its files are not read yet' : 'no base image is known';
  const follows = images.size === 0 ? none : `${trigger.baseImageTriggerType}: ${[...images.keys()].join(', ')}`;
  const untracked = analysis === undefined ? undefined : trackProblem(trigger, dependencies);
  const problem = analysis?.error ?? untracked;
  return { follows, ...(problem === undefined ? {} : { problem }), ...summaryOf(watched), watched };
}

/** Why the first track that does nothing does so. */
function trackProblem({ tracks, baseImageTriggerType }: BaseImageTrigger, dependencies: readonly ImageDependency[]): string | undefined {
  for (const { image } of tracks) {
    const tracked = imageTagOf(image);
    if (tracked === undefined) continue;
    const uses = dependencies.filter((row) => sameRepository(row.image, tracked));
    if (uses.length === 0) return `\`${image}\` is tracked, and the task does not build on it`;
    if (baseImageTriggerType === 'Runtime' && uses.every(({ role }) => role === 'buildtime'))
      return `\`${image}\` is tracked, and used only while building: \`--base-image-trigger-type All\` follows that, too`;
  }
  return undefined;
}

/** `docker.io/library/node:20`, `docker.io/library/node semver:~20`. */
function watchedImage({ registry, repository, tag }: ImageTag, pattern: string): string {
  return `${registry}/${repository}${pattern === '' ? `:${tag}` : ` ${pattern}`}`;
}

async function afterStand({ tasks }: ExplainStore, { task, on }: AfterTrigger): Promise<Stand> {
  const missing = (await tasks.get(task)) === undefined ? { problem: `there is no task ${task}` } : {};
  return { follows: `runs of task ${task} that ${on === 'pushed' ? 'pushed an image' : 'succeeded'}`, ...missing, watched: [] };
}

function watchedOf(what: string, checkedAt: string | undefined, nextCheck: string, problem: string | undefined): Watched {
  return { what, nextCheck, ...(checkedAt === undefined ? {} : { checkedAt }), ...(problem === undefined ? {} : { problem }) };
}

function summaryOf(watched: readonly Watched[]): Pick<ExplainedTrigger, 'next' | 'checkedAt' | 'problem'> {
  const next = watched.map(({ nextCheck }) => nextCheck).sort()[0];
  const checkedAt = watched.flatMap((one) => one.checkedAt ?? []).sort()[0];
  const bad = watched.find(({ problem }) => problem !== undefined);
  return {
    ...(next === undefined ? {} : { next }),
    ...(checkedAt === undefined ? {} : { checkedAt }),
    ...(bad?.problem === undefined ? {} : { problem: bad.problem.includes(bad.what) ? bad.problem : `${bad.what}: ${bad.problem}` }),
  };
}

async function undecidedOf({ events, imageWatch }: ExplainStore, record: TaskRecord): Promise<readonly UndecidedEvent[]> {
  const lists = await Promise.all((['pending', 'failed'] as const).map((status) => events.list({ status, limit: MOST_EVENTS })));
  const found = lists.flat();
  if (found.length === 0) return [];
  const concerns = concernsOf(record, await imageWatch.dependencies({ taskId: record.id }));
  return found
    .filter(({ happening }) => concerns(happening))
    .sort((one, other) => other.number - one.number)
    .flatMap(undecided);
}

function undecided({ id, happening, receivedAt, status, attempts, retryAt, error }: TriggerEvent): readonly UndecidedEvent[] {
  if (status === 'settled') return [];
  const facts = { ...(retryAt === undefined ? {} : { retryAt }), ...(error === undefined ? {} : { error }) };
  return [{ event: id, kind: happening.kind, at: receivedAt, status, attempts, ...facts }];
}

function concernsOf(
  { definition }: TaskRecord,
  dependencies: readonly { readonly image: { readonly registry: string; readonly repository: string } }[],
): (happening: Happening) => boolean {
  const { sourceTriggers, afterTriggers } = triggersOf(definition);
  const repositories = new Set(sourceTriggers.map(({ sourceRepository }) => canonicalRepositoryUrl(sourceRepository.repositoryUrl)));
  const followed = new Set(afterTriggers.map(({ task }) => task));
  const images = new Set(dependencies.map(({ image }) => `${image.registry}/${image.repository}`));
  return (happening) => {
    if (happening.kind === 'timer' || happening.kind === 'manual') return happening.task === definition.name;
    if (happening.kind === 'run-ended') return happening.task !== undefined && followed.has(happening.task);
    if (happening.kind === 'image' || happening.kind === 'image-changed') {
      return images.has(`${happening.image.registry}/${happening.image.repository}`);
    }
    return repositories.has(canonicalRepositoryUrl(happening.repository.url));
  };
}
