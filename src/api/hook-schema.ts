import { z } from 'zod';
import { REGISTRY_HOOK_KINDS } from '../model/ports/hook-store.ts';
import { SOURCE_CONTROL_TYPES } from '../model/trigger-definition.ts';
import { listOf, loginServer, rowId, time } from './common.ts';

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
