import { z } from 'zod';
import { ROLES, SCOPES } from '../model/security.ts';
import { listOf, manyOf, pageQuery, secretName, time } from './common.ts';

const taskGlob = z.string().regex(/^[a-z0-9*][a-z0-9._*-]{0,126}$/, 'a task name, in which `*` stands for any characters');
const tokenName = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[\w .@:/-]+$/, 'letters, digits, blanks and `._-@:/`');
const role = z.enum(ROLES);
const scope = z.enum(SCOPES);

export const tokenBody = z
  .strictObject({
    name: tokenName,
    role,
    scopes: manyOf(scope, SCOPES.length).exactOptional().describe('Narrows the role to these verbs.'),
    tasks: manyOf(taskGlob, 100).exactOptional().describe('Task names or globs; all tasks unless given.'),
    expiresAt: time.exactOptional(),
  })
  .readonly()
  .meta({ id: 'TokenBody' });

const tokenFields = {
  id: z.string(),
  name: z.string(),
  role,
  scopes: listOf(scope).exactOptional(),
  tasks: listOf(z.string()).exactOptional(),
  createdAt: time,
  createdBy: z.string(),
  expiresAt: time.exactOptional(),
  lastUsedAt: time.exactOptional(),
  revokedAt: time.exactOptional(),
};

export const tokenResource = z.object(tokenFields).readonly().meta({ id: 'Token', description: 'A token without its secret part.' });
export type TokenResource = z.output<typeof tokenResource>;

export const createdToken = z
  .object({ ...tokenFields, token: z.string().describe('The token itself, shown once.') })
  .readonly()
  .meta({ id: 'CreatedToken' });
export type CreatedToken = z.output<typeof createdToken>;

export const secretBody = z
  .strictObject({
    value: z.string().min(4).max(65_536),
    description: z.string().max(1000).exactOptional().describe('Left as it is when not given.'),
    tasks: manyOf(taskGlob, 100).exactOptional().describe('Tasks (globs) whose runs may use it; empty: all. Left as it is when not given.'),
  })
  .readonly()
  .meta({ id: 'SecretBody' });

export const secretResource = z
  .object({
    name: secretName,
    description: z.string(),
    tasks: listOf(z.string()),
    createdAt: time,
    updatedAt: time,
    updatedBy: z.string(),
  })
  .readonly()
  .meta({ id: 'Secret', description: 'A secret without its value.' });
export type SecretResource = z.output<typeof secretResource>;

const auditWord = z.string().min(1).max(200).exactOptional();

export const auditQuery = z.object({
  ...pageQuery,
  action: auditWord,
  principal: auditWord,
  target: auditWord,
  since: time.exactOptional(),
});

export const auditEntry = z
  .object({
    seq: z.number(),
    at: time,
    action: z.string(),
    principal: z.string(),
    from: z.string(),
    target: z.string(),
    outcome: z.enum(['done', 'refused']),
    details: z.record(z.string(), z.unknown()).readonly(),
  })
  .readonly()
  .meta({ id: 'AuditEntry' });
export type AuditEntryResource = z.output<typeof auditEntry>;

export const meResource = z
  .object({
    name: z.string(),
    role,
    scopes: listOf(scope).describe('What the asker may do.'),
    tasks: listOf(z.string()).exactOptional(),
    tokenId: z.string().exactOptional(),
    from: z.string(),
  })
  .readonly()
  .meta({ id: 'Me', description: 'Who asks.' });
export type MeResource = z.output<typeof meResource>;
