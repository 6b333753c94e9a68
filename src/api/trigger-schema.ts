import { z } from 'zod';
import { REGISTRY_HOOK_KINDS } from '../model/ports/hook-store.ts';
import { SOURCE_CONTROL_TYPES } from '../model/trigger-definition.ts';
import { DECISION_CODES } from '../model/trigger-event.ts';
import { flag, listOf, loginServer, pageQuery, rowId, taskName, text, time } from './common.ts';
import { runApproval } from './run-schema.ts';

export const eventId = z.string().regex(/^e[1-9][0-9]{0,15}$/, 'the id of a trigger event is `e` and a number: `e17`');
const origin = z.enum(['webhook', 'poll', 'notification', 'timer', 'run', 'manual', 'replay']);
const eventStatus = z.enum(['pending', 'settled', 'failed']);
const eventKind = z.enum(['push', 'tag', 'pull-request', 'repository', 'image', 'image-changed', 'timer', 'run-ended', 'manual']);

export const triggerEventsQuery = z.object({
  ...pageQuery,
  origin: origin.exactOptional(),
  status: eventStatus.exactOptional(),
  kind: eventKind.exactOptional(),
  task: taskName.exactOptional().describe('Events that something was decided on for this task.'),
  since: time.exactOptional(),
});

export const triggerEventParams = z.object({ id: eventId });

const repository = z
  .object({
    forge: z.enum(SOURCE_CONTROL_TYPES),
    id: z.string().exactOptional(),
    url: z.string(),
    fullName: z.string().exactOptional(),
    defaultBranch: z.string().exactOptional(),
  })
  .readonly();

const refChange = {
  repository,
  ref: z.string(),
  before: z.string().describe('All zero for a new ref.'),
  after: z.string().describe('All zero for a deleted ref.'),
  forced: z.boolean().exactOptional(),
  actor: z.string().exactOptional(),
  hook: z.string().exactOptional(),
};

const imageTag = z
  .object({ registry: z.string(), repository: z.string(), tag: z.string() })
  .readonly()
  .meta({ id: 'ImageTag', description: 'A tag of a registry: `docker.io`, `library/node`, `20`.' });

const happening = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('push'), ...refChange }),
    z.object({ kind: z.literal('tag'), ...refChange }),
    z.object({
      kind: z.literal('pull-request'),
      repository,
      number: z.string(),
      action: z.enum(['opened', 'reopened', 'synchronized', 'retargeted', 'closed', 'other']),
      headSha: z.string(),
      headBranch: z.string(),
      headRef: z.string().exactOptional(),
      headUrl: z.string().exactOptional(),
      baseBranch: z.string(),
      baseSha: z.string().exactOptional(),
      fork: z.boolean(),
      actor: z.string().exactOptional(),
      hook: z.string().exactOptional(),
    }),
    z.object({ kind: z.literal('repository'), repository, hook: z.string().exactOptional() }),
    z.object({
      kind: z.literal('image'),
      image: imageTag,
      digest: z.string().exactOptional(),
      hook: z.string().exactOptional(),
      run: z.string().exactOptional(),
    }),
    z.object({
      kind: z.literal('image-changed'),
      image: imageTag,
      indexDigest: z.string(),
      platforms: z.record(z.string(), z.string()).readonly(),
      previous: z.string(),
      previousTag: z.string().exactOptional(),
      run: z.string().exactOptional(),
    }),
    z.object({
      kind: z.literal('timer'),
      task: z.string(),
      taskId: z.string(),
      trigger: z.string(),
      occurrence: z.string(),
      late: z.boolean(),
    }),
    z.object({ kind: z.literal('run-ended'), run: z.string(), task: z.string().exactOptional(), status: z.string() }),
    z.object({ kind: z.literal('manual'), task: z.string(), by: z.string() }),
  ])
  .readonly()
  .meta({ id: 'Happening', description: 'What happened; `kind` tells the other fields.' });

const eventFields = {
  eventId: z.string(),
  number: z.number(),
  dedupKey: z.string().describe('Names the happening, however often it is told.'),
  origin,
  happening,
  receivedAt: time,
  status: eventStatus.describe('`pending`: not yet decided on. `settled`: see its decisions. `failed`: given up; `error` says why.'),
  attempts: z.number(),
  retryAt: time.exactOptional(),
  error: z.string().exactOptional(),
  settledAt: time.exactOptional(),
  replayOf: z.string().exactOptional(),
};

export const triggerEventResource = z
  .object(eventFields)
  .readonly()
  .meta({ id: 'TriggerEvent', description: 'Something that happened, as a webhook told it, a look found it, or the clock made it due.' });
export type TriggerEventResource = z.output<typeof triggerEventResource>;

const decision = z
  .object({
    eventId: z.string(),
    at: time,
    task: z.string().exactOptional(),
    trigger: z.string().exactOptional(),
    outcome: z.enum(['run', 'joined', 'posted', 'skipped']),
    code: z.enum(DECISION_CODES),
    because: z.string(),
    runId: z.string().exactOptional(),
  })
  .readonly()
  .meta({ id: 'TriggerDecision', description: 'What came of an event for one trigger of one task, or (without a task) for nobody.' });
export type TriggerDecisionResource = z.output<typeof decision>;

export const triggerEventDetail = z
  .object({ ...eventFields, decisions: listOf(decision) })
  .readonly()
  .meta({ id: 'TriggerEventDetail', description: 'An event with what was decided on it.' });
export type TriggerEventDetail = z.output<typeof triggerEventDetail>;

export const replayResult = z
  .object({ eventId: z.string().describe('The new event.'), replayOf: z.string() })
  .readonly()
  .meta({ id: 'ReplayResult' });
export type ReplayResult = z.output<typeof replayResult>;

/** A link of the chain of causes. */
const causeLink = z
  .object({
    kind: z.enum(['manual', 'rerun', 'source', 'image-update', 'timer', 'after']),
    summary: z.string().describe('One sentence, with the values that tell it from others.'),
    trigger: z.string().exactOptional(),
    eventId: z.string().exactOptional(),
    at: time.exactOptional().describe('When the event was received; absent when it is no longer kept.'),
    origin: origin.exactOptional(),
    runId: z.string().exactOptional().describe('The run that this one follows from.'),
    task: z.string().exactOptional(),
  })
  .readonly()
  .meta({ id: 'CauseLink', description: 'A link of the chain of causes of a run.' });

export const runExplanation = z
  .object({
    runId: z.string(),
    task: z.string().nullable(),
    status: z.string(),
    trigger: z.string(),
    createTime: time,
    chain: listOf(causeLink).describe('Nearest first.'),
    decisions: listOf(decision).describe('The decisions that made it or were added to it.'),
    held: z.string().exactOptional().describe('Why it may not start yet.'),
    approval: runApproval.exactOptional().describe('Who let it go on, when, and at which head of the pull request.'),
    waiting: z.string().exactOptional().describe('What it waits for in the queue.'),
    problem: z.string().exactOptional().describe('Why its forge was not told how it stands.'),
  })
  .readonly()
  .meta({ id: 'RunExplanation', description: 'Why a run is there.' });
export type RunExplanation = z.output<typeof runExplanation>;

const explainedTrigger = z
  .object({
    name: z.string(),
    kind: z.enum(['source', 'timer', 'base-image', 'after']),
    status: z.enum(['Enabled', 'Disabled']),
    follows: z.string().describe('What it follows, for people: the repository and its branches, the schedule, the images.'),
    next: time.exactOptional().describe('When it looks, or is due, next.'),
    checkedAt: time.exactOptional(),
    problem: z.string().exactOptional().describe('Why it cannot look at what it follows, or the forge takes no commit status of its runs.'),
    occurrences: listOf(time).exactOptional().describe('Of a timer: its next five.'),
    watched: listOf(
      z.object({ what: z.string(), nextCheck: time, checkedAt: time.exactOptional(), problem: z.string().exactOptional() }).readonly(),
    ).describe('Repositories and images that are looked at for it.'),
    last: decision.exactOptional().describe('The newest decision.'),
  })
  .readonly()
  .meta({ id: 'ExplainedTrigger', description: 'How a trigger of a task stands.' });

export const taskExplanation = z
  .object({
    task: z.string(),
    status: z.enum(['Enabled', 'Disabled']),
    triggers: listOf(explainedTrigger),
    decisions: listOf(decision).describe('Newest first.'),
    undecided: listOf(
      z
        .object({
          eventId: z.string(),
          kind: eventKind,
          at: time,
          status: z.enum(['pending', 'failed']),
          attempts: z.number(),
          retryAt: time.exactOptional(),
          error: z.string().exactOptional(),
        })
        .readonly(),
    ).describe('Events that may concern it and are not decided on: those that wait, and those that were given up.'),
  })
  .readonly()
  .meta({ id: 'TaskExplanation', description: 'What starts a task by itself, and what came of it lately.' });
export type TaskExplanation = z.output<typeof taskExplanation>;

export const explainQuery = z.object({
  top: z.coerce.number().int().min(1).max(200).default(20).describe('Most decisions.'),
});

export const checkResult = z
  .object({ task: z.string(), checked: z.literal(true) })
  .readonly()
  .meta({ id: 'CheckResult', description: 'All that the task follows was looked at.' });

// The graph of images and tasks.

export const depsQuery = z.object({
  task: taskName.exactOptional().describe('Only what concerns this task.'),
  image: text.exactOptional().describe('Only what concerns this image: `node`, `node:20`, `registry.example/base:1`.'),
  whatIf: text.exactOptional().describe('Who would rebuild, and in which order, if this image had a new digest.'),
});

const dependencyEdge = z
  .object({
    task: z.string(),
    step: z.string(),
    platform: z.string(),
    image: imageTag,
    written: z.string().describe('As in the Dockerfile.'),
    role: z.enum(['runtime', 'buildtime']),
    followed: z.boolean().describe('The task’s base image trigger is enabled and its type takes in this image.'),
    pattern: z.string().exactOptional().describe('Newer tags that satisfy it are followed, not the one that is written.'),
    indexDigest: z.string().describe('That the last build used; empty before one.'),
    platformDigest: z.string(),
    state: z.enum(['static', 'built', 'attempted']),
    runId: z.string().exactOptional(),
  })
  .readonly()
  .meta({ id: 'DependencyEdge', description: 'A task builds on an image.' });

const outputEdge = z
  .object({ task: z.string(), image: imageTag, state: z.enum(['static', 'pushed']), runId: z.string().exactOptional() })
  .readonly()
  .meta({ id: 'OutputEdge', description: 'A task pushes an image; an empty tag: each run its own.' });

const followedImage = z
  .object({
    image: imageTag,
    pattern: z.string().describe('`semver:~1.2`, `regex:…`; empty for the tag itself.'),
    newestTag: z.string().describe('Of a pattern.'),
    credential: z.string(),
    indexDigest: z.string(),
    digests: z.record(z.string(), z.string()).readonly(),
    status: z.enum(['new', 'ok', 'unreachable', 'missing']),
    error: z.string().exactOptional(),
    checkedAt: time.exactOptional(),
    nextCheck: time,
  })
  .readonly()
  .meta({ id: 'FollowedImage', description: 'A tag (or pattern) that is looked at, once for all tasks on it.' });

const rebuild = z
  .object({
    task: z.string(),
    after: listOf(z.string()).describe('Tasks that are rebuilt before it, because it builds on what they push.'),
    because: z.string(),
    refused: z.string().exactOptional().describe('Why it would not rebuild after all.'),
  })
  .readonly()
  .meta({ id: 'Rebuild', description: 'A task that would rebuild.' });

export const dependencyGraph = z
  .object({
    dependencies: listOf(dependencyEdge),
    outputs: listOf(outputEdge),
    followed: listOf(followedImage),
    cycles: listOf(listOf(z.string())).describe('Tasks that build on their own output, each after the one that it builds on.'),
    problems: listOf(z.object({ task: z.string(), message: z.string() }).readonly()).describe(
      'Tasks whose files could not be read for their images.',
    ),
    whatIf: z
      .object({ image: z.string(), rebuilds: listOf(rebuild).describe('In the order in which they would run.') })
      .readonly()
      .exactOptional(),
  })
  .readonly()
  .meta({ id: 'DependencyGraph', description: 'Images, the tasks that build on them, and the images that those push.' });
export type DependencyGraph = z.output<typeof dependencyGraph>;

// Webhooks.

const hookSource = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('git'),
      forge: z.enum(SOURCE_CONTROL_TYPES),
      repositoryUrl: z.string(),
      repositoryId: z.string().exactOptional(),
    }),
    z.object({ kind: z.literal('registry'), registryKind: z.enum(REGISTRY_HOOK_KINDS), registry: z.string() }),
  ])
  .readonly();

const hookFields = {
  id: z.string(),
  source: hookSource,
  url: z.string().describe('Where the forge or registry posts to.'),
  tasks: listOf(z.string()).describe('Tasks that follow it.'),
  createdAt: time,
  createdBy: z.string(),
  previousUntil: time.exactOptional().describe('Until then the secret before the last rotation is good too.'),
  lastDelivery: z.object({ at: time, result: z.string() }).readonly().exactOptional(),
  remoteId: z.string().exactOptional().describe('What the forge calls it, when it was created through its API.'),
};

export const hookResource = z
  .object(hookFields)
  .readonly()
  .meta({ id: 'Hook', description: 'An endpoint for the deliveries of one repository or registry, without its secret.' });
export type HookResource = z.output<typeof hookResource>;

export const hookSecretResource = z
  .object({
    ...hookFields,
    secret: z.string(),
    urlWithSecret: z.string().describe('For senders that can neither sign nor send a header.'),
    instructions: listOf(z.object({ text: z.string(), value: z.string().exactOptional() }).readonly()).describe(
      'How to set it up at the forge or registry, step by step; `value` is to be copied to there.',
    ),
    atForge: z
      .enum(['created', 'updated'])
      .exactOptional()
      .describe('What was done at the forge; absent: nothing, it is to be set up by hand.'),
  })
  .readonly()
  .meta({ id: 'HookWithSecret', description: 'A hook with all that is needed to set it up.' });
export type HookSecretResource = z.output<typeof hookSecretResource>;

export const taskHookBody = z
  .strictObject({
    trigger: z.string().max(63).exactOptional().describe('A source trigger of the task; the only one when it is left out.'),
    atForge: z.boolean().default(false).describe('Set it up through the API of the forge.'),
    token: z.string().min(1).max(4096).exactOptional().describe('For the forge; kept nowhere. The trigger’s own when it is left out.'),
  })
  .readonly()
  .meta({ id: 'TaskHookBody' });

export const registryHookBody = z
  .strictObject({ registry: loginServer, registryKind: z.enum(REGISTRY_HOOK_KINDS) })
  .readonly()
  .meta({ id: 'RegistryHookBody', description: 'Of a registry that is to tell of pushes.' });

export const hookParams = z.object({ id: rowId });
export const rotateBody = z
  .strictObject({ atForge: z.boolean().default(false), token: z.string().min(1).max(4096).exactOptional() })
  .readonly()
  .meta({ id: 'RotateBody' });

// Timers.

export const triggerName = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/, 'the name of a trigger has 1 to 63 letters, digits, `.`, `_`, `-`');

export const timerParams = z.object({ name: taskName, timer: triggerName });
export const timerQuery = z.object({ force: flag.default(false).describe('Change a task that a file manages.') });

export const timerBody = z
  .strictObject({
    schedule: z.string().min(1).max(200).describe('Five fields of NCrontab in UTC, or `CRON_TZ=Zone` and the five fields.'),
    status: z.enum(['Enabled', 'Disabled']).exactOptional(),
    onMissed: z.enum(['latest', 'all', 'skip']).exactOptional(),
    mostMissed: z.int().min(1).max(1000).exactOptional(),
    overlap: z.enum(['allow', 'skip', 'queue', 'cancelPrevious']).exactOptional(),
    jitter: z.int().min(0).max(86_400).exactOptional(),
  })
  .readonly()
  .meta({ id: 'TimerBody', description: 'A timer of a task; what is left out stays, or has its default in a new one.' });

export const timerResource = z
  .object({
    name: z.string(),
    schedule: z.string(),
    status: z.enum(['Enabled', 'Disabled']),
    onMissed: z.enum(['latest', 'all', 'skip']),
    mostMissed: z.number(),
    overlap: z.enum(['allow', 'skip', 'queue', 'cancelPrevious']),
    jitter: z.number(),
    next: listOf(time).describe('The next five occurrences; empty for one that never comes.'),
    last: time.exactOptional(),
  })
  .readonly()
  .meta({ id: 'Timer', description: 'A timer of a task and its next five occurrences.' });
export type TimerResource = z.output<typeof timerResource>;

export const approveBody = z
  .strictObject({
    commit: z
      .string()
      .regex(/^[0-9a-f]{7,64}$/i, '7 to 64 hexadecimal digits')
      .exactOptional()
      .describe('The commit that was looked at: the approval is refused when the run is of another.'),
  })
  .readonly()
  .meta({ id: 'ApproveBody' });
