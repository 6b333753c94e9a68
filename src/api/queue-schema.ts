import { z } from 'zod';
import { listOf, time } from './common.ts';

export const waitingInQueue = z
  .object({
    position: z.number().exactOptional().describe('From 1; absent for what may not start yet, whatever is before it.'),
    reason: z.enum(['paused', 'group-full', 'task-limit', 'agent-busy', 'no-agent', 'daemon-full', 'held', 'approval', 'starting']),
    because: z.string(),
    queuedMs: z.number(),
  })
  .readonly()
  .meta({ id: 'Waiting', description: 'Where a queued run stands and what it waits for.' });
export type WaitingResource = z.output<typeof waitingInQueue>;

export const queueResource = z
  .object({
    paused: z.boolean(),
    reason: z.string().exactOptional(),
    since: time.exactOptional(),
    queued: z.number(),
    running: z.number(),
    waiting: listOf(z.object({ runId: z.string(), ...waitingInQueue.unwrap().shape }).readonly()),
  })
  .readonly()
  .meta({
    id: 'Queue',
    description: 'Every queued run in the order in which they would start. Runs of tasks that the asker may not see are left out.',
  });
export type QueueResource = z.output<typeof queueResource>;
