import { z } from 'zod';
import { flag, pageQuery, runId, taskName, text, time } from './common.ts';
import { runStatus, runType } from './run-schema.ts';

/** Several values in one parameter: `?status=Queued,Running`. */
const statusList = z
  .string()
  .max(200)
  .transform((words) => words.split(','))
  .pipe(z.array(runStatus));

export const runsQuery = z.object({
  ...pageQuery,
  task: taskName.exactOptional(),
  status: statusList.exactOptional().describe('One status, or several with commas between.'),
  image: text.exactOptional().describe('Runs that pushed it: `repository`, `repository:tag`, `repository@sha256:…`.'),
  branch: text.exactOptional(),
  commit: z
    .string()
    .regex(/^[0-9a-f]{4,64}$/, '4 to 64 hexadecimal digits')
    .exactOptional(),
  runType: runType.exactOptional(),
  archived: flag.exactOptional(),
  since: time.exactOptional(),
  until: time.exactOptional(),
});

export const runParams = z.object({
  id: runId.describe('The id of a run, or `last` for the newest (of `?task=`).'),
});
export const lastOf = { task: taskName.exactOptional().describe('For `last`: the newest run of this task.') };

export const eventsQuery = z.object({
  ...lastOf,
  after: z.coerce.number().int().min(0).default(0).describe('Events behind this number.'),
  top: z.coerce.number().int().min(1).max(1000).default(500),
  logs: flag.default(false).describe('Streams: output of the steps too, as `step-output` events.'),
});

export const allEventsQuery = z.object({ task: taskName.exactOptional() });

export const logQuery = z.object({
  ...lastOf,
  offset: z.coerce.number().int().min(0).default(0).describe('Bytes of the merged log to skip.'),
  limit: z.coerce.number().int().min(1).max(1_073_741_824).exactOptional(),
  step: z.string().min(1).max(200).exactOptional(),
  attempt: z.coerce.number().int().min(0).exactOptional(),
  since: time.exactOptional(),
  follow: flag.default(false).describe('Keep on sending until the run has ended.'),
});
