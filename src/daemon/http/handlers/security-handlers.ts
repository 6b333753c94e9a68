import type { TokenResource } from '../../../api/security-schema.ts';
import type { TokenRecord } from '../../../model/security.ts';
import type { HttpServices } from '../services.ts';
import type { Handlers } from './call.ts';
import { numberAfter, pageOfItems } from './cursor.ts';

type SecurityRoute = 'listTokens' | 'createToken' | 'revokeToken' | 'listSecrets' | 'putSecret' | 'deleteSecret' | 'listAudit';

export function securityHandlers({ tokens, secrets, audit }: HttpServices): Handlers<SecurityRoute> {
  return {
    listTokens: async ({ principal }) => ({ status: 200, body: { items: (await tokens.list(principal)).map(showToken) } }),
    createToken: async ({ principal, body }) => {
      const { token, record } = await tokens.create(principal, body);
      return { status: 201, body: { ...showToken(record), token }, headers: { 'cache-control': 'no-store' } };
    },
    revokeToken: async ({ principal, params }) => {
      await tokens.revoke(principal, params.id);
      return { status: 204 };
    },
    listSecrets: async ({ principal }) => ({ status: 200, body: { items: await secrets.list(principal) } }),
    putSecret: async ({ principal, params, body }) => ({ status: 200, body: await secrets.set(principal, { name: params.name, ...body }) }),
    deleteSecret: async ({ principal, params }) => {
      await secrets.delete(principal, params.name);
      return { status: 204 };
    },
    listAudit: async ({ query: { top, after, ...filter } }) => {
      const before = numberAfter(after);
      const found = await audit.list({ ...filter, limit: top + 1, ...(before === undefined ? {} : { before }) });
      return {
        status: 200,
        body: pageOfItems(
          found,
          top,
          (entry) => entry,
          ({ seq }) => seq,
        ),
      };
    },
  };
}

function showToken(record: TokenRecord): TokenResource {
  const { id, name, role, scopes, tasks, createdAt, createdBy, expiresAt, lastUsedAt, revokedAt } = record;
  return {
    ...{ id, name, role, createdAt, createdBy },
    ...(scopes === undefined ? {} : { scopes }),
    ...(tasks === undefined ? {} : { tasks }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(lastUsedAt === undefined ? {} : { lastUsedAt }),
    ...(revokedAt === undefined ? {} : { revokedAt }),
  };
}
