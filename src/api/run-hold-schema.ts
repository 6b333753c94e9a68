import { z } from 'zod';
import { listOf, time } from './common.ts';

export const runHold = z
  .object({
    because: z.string(),
    until: time.exactOptional(),
    runs: listOf(z.string()).exactOptional(),
    approval: z.object({ commit: z.string() }).readonly().exactOptional(),
  })
  .readonly()
  .meta({ id: 'RunHold', description: 'Why a queued run may not start yet: a time, runs, or a person’s word for its commit.' });

export const runApproval = z.object({ at: time, by: z.string(), commit: z.string() }).readonly().meta({ id: 'RunApproval' });

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
