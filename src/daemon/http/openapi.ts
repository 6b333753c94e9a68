import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { globalRegistry } from 'zod';

const TAGS = {
  tasks: 'Tasks as they are defined on the daemon, and their registry credentials.',
  runs: 'Runs: start, look at, follow, cancel.',
  triggers: 'What starts tasks by itself: events and what was decided on them, webhooks, timers, the graph of images.',
  uploads: 'Contexts that clients send, by the SHA-256 of their tar stream.',
  queue: 'What waits, and for what.',
  security: 'Tokens, secrets and the audit log.',
  daemon: 'The daemon itself.',
  operations: 'Health, readiness, metrics and this description.',
} as const;

type TransformOptions = NonNullable<Parameters<typeof createJsonSchemaTransform>[0]>;
type Override = NonNullable<NonNullable<TransformOptions['zodToJsonConfig']>['override']>;

/** OpenAPI 3.1 of every route, made from the schemas that check the requests. */
export async function describeApi(
  app: FastifyInstance,
  about: { readonly version: string; readonly url: string | undefined },
): Promise<void> {
  const config = { schemaRegistry: globalRegistry, zodToJsonConfig: { override: tidy } };
  const describeOne = createJsonSchemaTransform(config);
  const describeAll = createJsonSchemaTransformObject(config);
  await app.register(swagger, {
    exposeHeadRoutes: true,
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
    transform: (route) => {
      const described = describeOne(route);
      // The plugin takes every HEAD for the shadow of a GET and names it after that.
      const id = route.schema?.operationId?.replace(/-head$/, '');
      const bytes = route.route.config?.entry?.body?.kind === 'bytes' ? { body: { type: 'string', format: 'binary' } } : {};
      return id === undefined ? described : { ...described, schema: { ...described.schema, ...bytes, operationId: id } };
    },
    transformObject: (document) => {
      const described = describeAll(document);
      return 'openapi' in described ? withoutUnused(described) : described;
    },
  });
}

/** `readonly` of TypeScript is no `readOnly` of JSON Schema, which would forbid to send it; no body is the type `null`. */
const tidy: Override = ({ zodSchema, jsonSchema }) => {
  delete jsonSchema.readOnly;
  if (zodSchema._zod.def.type === 'undefined') jsonSchema.type = 'null';
};

/** Each schema is made as a request and as an answer has it; what no route names is left out. */
function withoutUnused<Document extends { readonly components?: { readonly schemas?: object } }>(document: Document): Document {
  const schemas = document.components?.schemas ?? {};
  const { components, ...rest } = document;
  const used = new Set<string>();
  const look = (part: unknown): void => {
    for (const [, name = ''] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (used.has(name)) continue;
      used.add(name);
      look(Reflect.get(schemas, name) ?? null);
    }
  };
  look(rest);
  const kept = Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name)));
  return { ...document, components: { ...components, schemas: kept } };
}
