import { z } from 'zod';
import { listOf, time } from './common.ts';

export const logFacts = z
  .object({ bytes: z.number(), droppedBytes: z.number(), sealed: z.boolean() })
  .readonly()
  .meta({ id: 'LogFacts', description: 'Size of the log; `sealed`: nothing more will come.' });

/** One event, as `RunEvent` of the event stream (its `type` tells the other fields). */
export const runEvent = z
  .looseObject({ version: z.number(), seq: z.number(), at: z.string(), run: z.string(), type: z.string() })
  .readonly()
  .meta({ id: 'RunEvent', description: 'A fact about a run; `type` tells the other fields.' });

export const eventPage = z
  .object({ items: listOf(runEvent), next: z.number().describe('Pass it as `after` for what comes behind.'), finished: z.boolean() })
  .meta({ id: 'EventPage' });

/** One line of `application/x-ndjson`. `text` when the bytes are UTF-8, else `base64`. */
export const logLine = z
  .object({
    offset: z.number(),
    next: z.number().describe('Where to go on.'),
    step: z.string(),
    attempt: z.number(),
    stream: z.enum(['stdout', 'stderr']),
    at: time,
    afterEvent: z.number(),
    marker: z.enum(['gap', 'truncated']).exactOptional(),
    text: z.string().exactOptional(),
    base64: z.string().exactOptional(),
  })
  .readonly()
  .meta({ id: 'LogLine' });
export type LogLine = z.output<typeof logLine>;
