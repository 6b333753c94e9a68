import { z } from 'zod';
import { SOURCE_CONTROL_TYPES } from '../model/trigger-definition.ts';
import { DECISION_CODES } from '../model/trigger-event.ts';
import { listOf, pageQuery, taskName, time } from './common.ts';
import { imageTag } from './image-tag-schema.ts';

export const eventId = z.string().regex(/^e[1-9][0-9]{0,15}$/, 'the id of a trigger event is `e` and a number: `e17`');
export const eventOrigin = z.enum(['webhook', 'poll', 'notification', 'timer', 'run', 'manual', 'replay']);
const eventStatus = z.enum(['pending', 'settled', 'failed']);
export const eventKind = z.enum(['push', 'tag', 'pull-request', 'repository', 'image', 'image-changed', 'timer', 'run-ended', 'manual']);

export const triggerEventsQuery = z.object({
  ...pageQuery,
  origin: eventOrigin.exactOptional(),
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
  origin: eventOrigin,
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

export const triggerDecision = z
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
export type TriggerDecisionResource = z.output<typeof triggerDecision>;

export const triggerEventDetail = z
  .object({ ...eventFields, decisions: listOf(triggerDecision) })
  .readonly()
  .meta({ id: 'TriggerEventDetail', description: 'An event with what was decided on it.' });
export type TriggerEventDetail = z.output<typeof triggerEventDetail>;

export const replayResult = z
  .object({ eventId: z.string().describe('The new event.'), replayOf: z.string() })
  .readonly()
  .meta({ id: 'ReplayResult' });
export type ReplayResult = z.output<typeof replayResult>;
