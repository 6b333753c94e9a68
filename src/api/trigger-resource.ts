import type { Happening, SourceRepositoryId, TriggerDecision, TriggerEvent } from '../model/trigger-event.ts';
import type { TriggerDecisionResource, TriggerEventDetail, TriggerEventResource } from './event-schema.ts';
import type { RunExplanation, TaskExplanation } from './explain-schema.ts';
import { showUrl } from './shown.ts';

export function triggerEventOf(event: TriggerEvent): TriggerEventResource {
  const { id, number, dedupKey, origin, happening, receivedAt, status, attempts, retryAt, error, settledAt, replayOf } = event;
  return {
    ...{ eventId: id, number, dedupKey, origin, happening: showHappening(happening), receivedAt, status, attempts },
    ...(retryAt === undefined ? {} : { retryAt }),
    ...(error === undefined ? {} : { error }),
    ...(settledAt === undefined ? {} : { settledAt }),
    ...(replayOf === undefined ? {} : { replayOf }),
  };
}

export function triggerEventDetailOf(event: TriggerEvent, decisions: readonly TriggerDecision[]): TriggerEventDetail {
  return { ...triggerEventOf(event), decisions: decisions.map(decisionOf) };
}

export function decisionOf({ event, at, task, trigger, outcome, code, because, run }: TriggerDecision): TriggerDecisionResource {
  return {
    ...{ eventId: event, at, outcome, code, because },
    ...(task === undefined ? {} : { task }),
    ...(trigger === undefined ? {} : { trigger }),
    ...(run === undefined ? {} : { runId: run }),
  };
}

/** Why a run is there, as the triggers say it. */
interface ExplainedRun {
  readonly run: string;
  readonly task?: string;
  readonly status: string;
  readonly trigger: string;
  readonly createTime: string;
  readonly chain: readonly (Omit<RunExplanation['chain'][number], 'eventId' | 'runId'> & {
    readonly event?: string;
    readonly run?: string;
  })[];
  readonly held?: string;
  readonly approval?: NonNullable<RunExplanation['approval']>;
  readonly problem?: string;
}

export function runExplanationOf(explained: ExplainedRun, decisions: readonly TriggerDecisionResource[]): RunExplanation {
  const { run, task = null, status, trigger, createTime, held, approval, problem } = explained;
  const chain = explained.chain.map(({ event, run: before, ...link }) => ({
    ...link,
    summary: showUrls(link.summary),
    ...(event === undefined ? {} : { eventId: event }),
    ...(before === undefined ? {} : { runId: before }),
  }));
  return {
    ...{ runId: run, task, status, trigger, createTime, chain, decisions },
    ...(held === undefined ? {} : { held }),
    ...(approval === undefined ? {} : { approval }),
    ...(problem === undefined ? {} : { problem: showUrls(problem) }),
  };
}

type ExplainedTrigger = TaskExplanation['triggers'][number];

/** What starts a task, as the triggers say it. */
interface ExplainedTask {
  readonly task: string;
  readonly status: TaskExplanation['status'];
  readonly triggers: readonly (Omit<ExplainedTrigger, 'last'> & { readonly last?: TriggerDecision })[];
  readonly decisions: readonly TriggerDecision[];
  readonly undecided: readonly (Omit<TaskExplanation['undecided'][number], 'eventId'> & { readonly event: string })[];
}

export function taskExplanationOf({ task, status, triggers, decisions, undecided }: ExplainedTask): TaskExplanation {
  return {
    ...{ task, status, decisions: decisions.map(decisionOf) },
    triggers: triggers.map(({ last, ...one }) => ({
      ...one,
      follows: showUrls(one.follows),
      watched: one.watched.map((watched) => ({ ...watched, what: showUrls(watched.what) })),
      ...(last === undefined ? {} : { last: decisionOf(last) }),
    })),
    undecided: undecided.map(({ event, ...one }) => ({ eventId: event, ...one })),
  };
}

/** In a sentence. */
function showUrls(text: string): string {
  return text.replace(/\bhttps?:\/\/[^/@\s]*@/gi, (url) => showUrl(url));
}

function showHappening(happening: Happening): Happening {
  if (!('repository' in happening)) return happening;
  const repository = showRepository(happening.repository);
  if (happening.kind !== 'pull-request') return { ...happening, repository };
  const { headUrl, ...pull } = happening;
  return { ...pull, repository, ...(headUrl === undefined ? {} : { headUrl: showUrl(headUrl) }) };
}

function showRepository(repository: SourceRepositoryId): SourceRepositoryId {
  return { ...repository, url: showUrl(repository.url) };
}
