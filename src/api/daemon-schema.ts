import { z } from 'zod';
import { flag, listOf, time } from './common.ts';

export const agentResource = z
  .object({
    id: z.string(),
    pool: z.string(),
    version: z.string(),
    slots: z.number(),
    platform: z.object({ os: z.string(), architecture: z.string() }).readonly(),
    labels: z.record(z.string(), z.string()).readonly(),
    runs: listOf(z.string()).describe('Runs that it holds.'),
    lastSeen: time,
    left: z.boolean().describe('It said goodbye.'),
  })
  .readonly()
  .meta({ id: 'Agent' });
export type AgentResource = z.output<typeof agentResource>;

export const uploadResource = z.object({ sha256: z.string(), bytes: z.number() }).readonly().meta({ id: 'Upload' });

export const gcBody = z
  .strictObject({ dryRun: z.boolean().default(false) })
  .readonly()
  .meta({ id: 'GcBody' });
export const gcResult = z
  .object({
    dryRun: z.boolean(),
    runs: z.number().describe('Runs past the retention, with their logs.'),
    logs: z.number().describe('Logs whose run is gone.'),
    uploads: z.number(),
    events: z.number().describe('Trigger events past their retention.'),
    images: z.number(),
    engine: z.number().describe('Containers, networks and volumes that no live run owns.'),
    bytes: z.number(),
  })
  .readonly()
  .meta({ id: 'GcResult' });
export type GcResult = z.output<typeof gcResult>;

export const versionResource = z
  .object({ name: z.literal('slipway'), version: z.string(), apiVersion: z.literal('v1'), daemonId: z.string() })
  .readonly()
  .meta({ id: 'Version' });

export const health = z
  .object({ status: z.literal('ok') })
  .readonly()
  .meta({ id: 'Health' });
export const readiness = z
  .object({
    ready: z.boolean(),
    checks: listOf(z.object({ name: z.string(), ok: z.boolean(), because: z.string().exactOptional() }).readonly()),
  })
  .readonly()
  .meta({ id: 'Readiness' });
export type Readiness = z.output<typeof readiness>;

export const forceQuery = z.object({
  force: flag.default(false).describe('Also when a file manages the task; the file wins again when it is next applied.'),
});
