import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';

const TAGS = {
  tasks: 'Tasks as they are defined on the daemon, and their registry credentials.',
  runs: 'Runs: start, look at, follow, cancel.',
  uploads: 'Contexts that clients send, by the SHA-256 of their tar stream.',
  queue: 'What waits, and for what.',
  security: 'Tokens, secrets and the audit log.',
  daemon: 'The daemon itself.',
  operations: 'Health, readiness, metrics and this description.',
} as const;

/** OpenAPI 3.1 of every route, made from the schemas that check the requests. */
export async function describeApi(
  app: FastifyInstance,
  about: { readonly version: string; readonly url: string | undefined },
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Slipway',
        version: about.version,
        description:
          'The API of a Slipway daemon. Every request over TCP needs `Authorization: Bearer slw_…`; the unix socket trusts its owner. Errors are RFC 9457 problems with a `code` of docs/errors.md. Requests that create take an `Idempotency-Key` (24 hours).',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      ...(about.url === undefined ? {} : { servers: [{ url: about.url }] }),
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'A token: `slw_` and 43 characters.' } } },
      security: [{ token: [] }],
    },
    transform: createJsonSchemaTransform({}),
    transformObject: createJsonSchemaTransformObject({}),
  });
}
