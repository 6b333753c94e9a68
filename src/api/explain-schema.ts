import { z } from 'zod';
import { listOf, time } from './common.ts';
import { eventKind, eventOrigin, triggerDecision } from './event-schema.ts';
import { runApproval } from './run-hold-schema.ts';

/** A link of the chain of causes. */
const causeLink = z
  .object({
    kind: z.enum(['manual', 'rerun', 'source', 'image-update', 'timer', 'after']),
    summary: z.string().describe('One sentence, with the values that tell it from others.'),
    trigger: z.string().exactOptional(),
    eventId: z.string().exactOptional(),
    at: time.exactOptional().describe('When the event was received; absent when it is no longer kept.'),
    origin: eventOrigin.exactOptional(),
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
    decisions: listOf(triggerDecision).describe('The decisions that made it or were added to it.'),
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
    last: triggerDecision.exactOptional().describe('The newest decision.'),
  })
  .readonly()
  .meta({ id: 'ExplainedTrigger', description: 'How a trigger of a task stands.' });

export const taskExplanation = z
  .object({
    task: z.string(),
    status: z.enum(['Enabled', 'Disabled']),
    triggers: listOf(explainedTrigger),
    decisions: listOf(triggerDecision).describe('Newest first.'),
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
