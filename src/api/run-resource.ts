import type { PushedImage } from '../model/image.ts';
import { parseImageReference } from '../model/image-reference.ts';
import type { LogStat } from '../model/ports/log-store.ts';
import type { WaitingRun } from '../model/ports/run-queue.ts';
import { type Cause, type RunRecord, type RunSummary, triggerWord } from '../model/run-record.ts';
import type { WaitingResource } from './queue-schema.ts';
import type { RunResource, RunSummaryResource } from './run-schema.ts';
import { showStep, showUrl } from './shown.ts';

type Image = RunSummaryResource['outputImages'][number];

/** What stands beside the stored run. */
export interface RunSurroundings {
  /** Of a queued run. */
  readonly waiting?: WaitingRun | undefined;
  readonly log?: LogStat | undefined;
}

/** A run as lists show it. */
export function runSummaryOf(run: RunSummary, waiting?: WaitingRun): RunSummaryResource {
  const { branch, commit } = run;
  const gitTag = gitTagOf(run);
  return {
    runId: run.id,
    number: run.number,
    status: run.status,
    runType: run.runType,
    trigger: triggerWord(run.causes),
    task: run.task ?? null,
    createTime: run.createTime,
    startTime: run.startTime ?? null,
    finishTime: run.finishTime ?? null,
    lastUpdatedTime: run.lastUpdatedTime,
    isArchiveEnabled: run.archived,
    agentPoolName: run.agentPoolName,
    platform: run.platform,
    outputImages: run.images.map(outputImage),
    runErrorMessage: run.error?.message ?? null,
    trust: run.trust,
    priority: run.priority,
    attempt: run.attempt,
    ...(branch === undefined ? {} : { branch }),
    ...(gitTag === undefined ? {} : { gitTag }),
    ...(commit === undefined ? {} : { commit }),
    causes: run.causes.map(showCause),
    ...(waiting === undefined ? {} : { waiting: waitingOf(waiting) }),
  };
}

/** The tag that it is for, also when it is a run for one again; a tag further back in the chain was another task's. */
function gitTagOf({ causes }: RunSummary): string | undefined {
  const cause = causes.find(({ kind }) => kind !== 'rerun');
  return cause?.kind === 'source' && cause.event === 'tag' ? cause.tag : undefined;
}

/** A run in full: every field of ACR's run under its name (null where there is nothing), and what Slipway knows besides. */
export function runResourceOf(run: RunRecord, { waiting, log }: RunSurroundings = {}): RunResource {
  const { request, cancel, error, source, agent, hold, approval } = run;
  return {
    ...runSummaryOf(summaryOf(run), waiting),
    provisioningState: 'Succeeded',
    agentConfiguration: { cpu: request.cpu },
    sourceRegistryAuth: null,
    customRegistries: request.credentials.map(({ loginServer }) => loginServer),
    updateTriggerToken: request.updateTriggerToken ?? null,
    logArtifact: null,
    ...triggersOf(run),
    step: showStep(request.step),
    timeout: request.timeout,
    registry: request.registry,
    ...(request.queueTimeout === undefined ? {} : { queueTimeout: request.queueTimeout }),
    ...(request.concurrency === undefined ? {} : { concurrency: request.concurrency }),
    noPush: request.noPush,
    ...(request.noPush ? { noPushBecause: request.trust === 'untrusted' ? ('untrusted' as const) : ('requested' as const) } : {}),
    keepGoing: request.keepGoing,
    extended: request.extended,
    crashes: run.crashes,
    ...(hold === undefined ? {} : { hold }),
    ...(approval === undefined ? {} : { approval }),
    background: request.background ?? false,
    ...(agent === undefined ? {} : { agent }),
    ...(cancel === undefined ? {} : { cancel }),
    ...(error === undefined ? {} : { error }),
    ...(source === undefined ? {} : { source: { ...source, ...shownRepository(source) } }),
    steps: run.steps,
    built: run.built,
    baseImages: run.baseImages,
    dependencies: run.dependencies,
    lastEvent: run.lastEvent,
    ...(log === undefined ? {} : { log: { bytes: log.bytes, droppedBytes: log.droppedBytes, sealed: log.sealed } }),
  };
}

function shownRepository({ repository }: NonNullable<RunRecord['source']>): { readonly repository?: string } {
  return repository === undefined ? {} : { repository: showUrl(repository) };
}

/** The cheap part of a run; the branch and commit that the agent found count more than those that were asked for. */
export function summaryOf(run: RunRecord): RunSummary {
  const { request } = run;
  const branch = run.source?.branch ?? request.variables.Branch;
  const commit = run.source?.commit ?? request.variables.Commit;
  return {
    ...run,
    ...(request.task === undefined ? {} : { task: request.task }),
    ...(branch === undefined || branch === '' ? {} : { branch }),
    ...(commit === undefined || commit === '' ? {} : { commit }),
    runType: request.runType,
    platform: request.platform,
    agentPoolName: request.agentPoolName,
    trust: request.trust,
    causes: request.causes,
    priority: request.priority,
  };
}

export function waitingOf({ position, reason, because, queuedMs }: WaitingRun): WaitingResource {
  return { ...(position === undefined ? {} : { position }), reason, because, queuedMs };
}

/** In ACR a reference has its registry apart; one that cannot be read stands as it is under `repository`. */
function outputImage({ reference, digest }: PushedImage): Image {
  const parsed = parseImageReference(reference);
  if (!parsed.ok) return { registry: '', repository: reference, tag: '', digest };
  const { host, repository, tag } = parsed.value;
  return { registry: host, repository, tag, digest };
}

function showCause(cause: Cause): Cause {
  return cause.kind === 'source' ? { ...cause, repositoryUrl: showUrl(cause.repositoryUrl) } : cause;
}

/** ACR's three fields of triggers, from the nearest cause. */
function triggersOf(run: RunRecord): Pick<RunResource, 'sourceTrigger' | 'imageUpdateTrigger' | 'timerTrigger'> {
  const none = { sourceTrigger: null, imageUpdateTrigger: null, timerTrigger: null };
  const [cause] = run.request.causes;
  switch (cause?.kind) {
    case 'source':
      return {
        ...none,
        sourceTrigger: {
          id: cause.eventId ?? cause.trigger,
          eventType: cause.event,
          commitId: cause.commit,
          pullRequestId: cause.pullRequest ?? null,
          repositoryUrl: showUrl(cause.repositoryUrl),
          branchName: cause.branch ?? null,
          providerType: cause.provider,
        },
      };
    case 'image-update':
      return { ...none, imageUpdateTrigger: { id: cause.eventId ?? cause.trigger, timestamp: run.createTime, images: cause.images } };
    case 'timer':
      return { ...none, timerTrigger: { timerTriggerName: cause.trigger, scheduleOccurrence: cause.occurrence } };
    default:
      return none;
  }
}
