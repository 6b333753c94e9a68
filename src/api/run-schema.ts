import { z } from 'zod';
import { listOf, platform, time } from './common.ts';
import { waitingInQueue } from './queue-schema.ts';
import { runApproval, runHold } from './run-hold-schema.ts';
import { logFacts } from './run-log-schema.ts';
import { concurrency, stepShown } from './task-schema.ts';

export const runStatus = z.enum(['Queued', 'Started', 'Running', 'Succeeded', 'Failed', 'Canceled', 'Error', 'Timeout']);
export const runType = z.enum(['QuickBuild', 'QuickRun', 'AutoBuild', 'AutoRun']);
const imageName = z.object({ registry: z.string(), repository: z.string(), tag: z.string(), digest: z.string() }).readonly();
const updatedImage = imageName
  .unwrap()
  .extend({ before: z.string().exactOptional().describe('The digest that the last successful build used.') })
  .readonly();

const cause = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('manual'), principal: z.string(), from: z.string() }),
    z.object({ kind: z.literal('rerun'), principal: z.string(), run: z.string() }),
    z.object({
      kind: z.literal('source'),
      event: z.enum(['commit', 'pullrequest', 'tag']),
      trigger: z.string(),
      repositoryUrl: z.string(),
      branch: z.string().exactOptional(),
      tag: z.string().exactOptional(),
      commit: z.string(),
      pullRequest: z.string().exactOptional(),
      provider: z.string(),
      eventId: z.string().exactOptional(),
    }),
    z.object({
      kind: z.literal('image-update'),
      trigger: z.string(),
      images: listOf(updatedImage),
      eventId: z.string().exactOptional(),
      run: z.string().exactOptional(),
      task: z.string().exactOptional(),
    }),
    z.object({
      kind: z.literal('timer'),
      trigger: z.string(),
      occurrence: z.string(),
      late: z.boolean().exactOptional(),
      eventId: z.string().exactOptional(),
    }),
    z.object({ kind: z.literal('after'), task: z.string(), run: z.string(), eventId: z.string().exactOptional() }),
  ])
  .readonly()
  .meta({ id: 'Cause', description: 'Why a run is there.' });

const stepResource = z
  .object({
    id: z.string(),
    kind: z.enum(['cmd', 'build', 'push']),
    needs: listOf(z.string()),
    status: z.enum(['pending', 'running', 'succeeded', 'failed', 'errored', 'skipped', 'canceled']),
    attempts: z.number(),
    startTime: time.exactOptional(),
    finishTime: time.exactOptional(),
    durationMs: z.number().exactOptional(),
    exitCode: z.number().exactOptional(),
    reason: z.string().exactOptional(),
    errorCode: z.string().exactOptional(),
    ignored: z.boolean().exactOptional(),
    detail: z.string().exactOptional().describe('Image and command line as people read them.'),
    container: z.string().exactOptional(),
  })
  .readonly()
  .meta({ id: 'RunStep', description: 'How a step of a run stands.' });

const sourceTrigger = z
  .object({
    id: z.string(),
    eventType: z.string(),
    commitId: z.string(),
    pullRequestId: z.string().nullable(),
    repositoryUrl: z.string(),
    branchName: z.string().nullable(),
    providerType: z.string(),
  })
  .readonly();
const imageUpdateTrigger = z.object({ id: z.string(), timestamp: time, images: listOf(imageName) }).readonly();
const timerTrigger = z.object({ timerTriggerName: z.string(), scheduleOccurrence: z.string() }).readonly();

/** What lists show of a run. */
const summary = {
  runId: z.string(),
  number: z.number().describe('The number of the run on this daemon, from 1.'),
  status: runStatus,
  runType,
  trigger: z.string().describe('`Manual`, `Commit`, `Pull Request`, `Tag`, `Timer`, `Image Update`, `After`'),
  task: z.string().nullable(),
  createTime: time,
  startTime: time.nullable(),
  finishTime: time.nullable(),
  lastUpdatedTime: time,
  isArchiveEnabled: z.boolean(),
  agentPoolName: z.string(),
  platform,
  outputImages: listOf(imageName),
  runErrorMessage: z.string().nullable(),
  trust: z.enum(['trusted', 'untrusted']),
  priority: z.number(),
  attempt: z.number(),
  branch: z.string().exactOptional(),
  gitTag: z.string().exactOptional().describe('Of a run for the push of a git tag.'),
  commit: z.string().exactOptional(),
  causes: listOf(cause),
  waiting: waitingInQueue.exactOptional(),
};

export const runSummaryResource = z.object(summary).readonly().meta({ id: 'RunSummary', description: 'A run in a list.' });
export type RunSummaryResource = z.output<typeof runSummaryResource>;

const baseImage = z
  .object({
    step: z.string(),
    reference: z.string(),
    used: z.string().exactOptional().describe('What was taken in its place: the tag that a track of the task chose.'),
    platform: z.string(),
    indexDigest: z.string(),
    platformDigest: z.string(),
    role: z.enum(['runtime', 'buildtime']),
    source: z.enum(['registry', 'engine', 'scratch', 'unresolved']),
    imageId: z.string().exactOptional(),
  })
  .readonly();

const described = z
  .object({ registry: z.string(), repository: z.string(), tag: z.string().exactOptional(), digest: z.string(), reference: z.string() })
  .readonly();

const dependency = z
  .object({
    image: described.nullable(),
    'runtime-dependency': described,
    'buildtime-dependency': listOf(described).nullable(),
    git: z.object({ 'git-head-revision': z.string() }).readonly(),
  })
  .readonly()
  .meta({ id: 'Dependency', description: 'An entry of ACR’s dependency document.' });

export const runResource = z
  .object({
    ...summary,
    provisioningState: z.literal('Succeeded').describe('Of the resource, as in ACR: the run was taken on. How it went says `status`.'),
    agentConfiguration: z.object({ cpu: z.number() }).readonly(),
    sourceRegistryAuth: z.string().nullable(),
    customRegistries: listOf(z.string()),
    updateTriggerToken: z.string().nullable(),
    logArtifact: imageName.nullable(),
    sourceTrigger: sourceTrigger.nullable(),
    imageUpdateTrigger: imageUpdateTrigger.nullable(),
    timerTrigger: timerTrigger.nullable(),
    step: stepShown.describe('What the run was asked to do.'),
    timeout: z.number(),
    queueTimeout: z.number().exactOptional(),
    registry: z.string(),
    concurrency: concurrency.exactOptional(),
    noPush: z.boolean(),
    noPushBecause: z
      .enum(['requested', 'untrusted'])
      .exactOptional()
      .describe('Why pushes are left out; `untrusted`: the run is of code from a fork, and never pushes.'),
    keepGoing: z.boolean(),
    extended: z.boolean(),
    agent: z.string().exactOptional(),
    crashes: z.number(),
    hold: runHold.exactOptional(),
    approval: runApproval.exactOptional(),
    background: z.boolean().describe('Of the runs that no person or commit asked for, of which only so many run at once.'),
    cancel: z.object({ at: time, by: z.string(), reason: z.string() }).readonly().exactOptional(),
    error: z
      .object({ step: z.string().exactOptional(), message: z.string(), errorCode: z.string().exactOptional() })
      .readonly()
      .exactOptional(),
    source: z
      .object({ commit: z.string().exactOptional(), branch: z.string().exactOptional(), repository: z.string().exactOptional() })
      .readonly()
      .exactOptional(),
    steps: listOf(stepResource),
    built: listOf(z.object({ step: z.string(), id: z.string(), tags: listOf(z.string()) }).readonly()),
    baseImages: listOf(baseImage),
    dependencies: listOf(dependency),
    lastEvent: z.number(),
    log: logFacts.exactOptional(),
  })
  .readonly()
  .meta({ id: 'Run', description: 'A run: every field of ACR under its name, and what Slipway knows besides.' });
export type RunResource = z.output<typeof runResource>;

export const cancelResult = z
  .object({
    runId: z.string(),
    outcome: z
      .enum(['ended', 'asked', 'terminal'])
      .describe('`ended`: it was queued; `asked`: it is being stopped; `terminal`: it had ended.'),
  })
  .readonly()
  .meta({ id: 'CancelResult' });
export type CancelResult = z.output<typeof cancelResult>;
