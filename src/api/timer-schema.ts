import { z } from 'zod';
import { flag, listOf, taskName, time } from './common.ts';

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
