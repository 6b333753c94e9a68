import type { FastifySchema } from 'fastify';
import { z } from 'zod';
import { problem } from '../../api/common.ts';
import type { RouteEntry } from '../../api/route-entry.ts';

const PROBLEM = { description: 'Refused or failed.', content: { 'application/problem+json': { schema: problem } } };
const EMPTY = z.undefined().describe('Nothing.');

/** What fastify checks and documents, from an entry of the table. */
export function schemaOf(route: RouteEntry): FastifySchema {
  const { params, query, body } = route;
  const answers = Object.entries(route.answers).map(([status, schema]) => [status, answerOf(route, schema)]);
  return {
    ...{ tags: [route.tag], summary: route.summary, operationId: route.name },
    ...(route.scope === 'none' ? { security: [] } : {}),
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { querystring: query }),
    ...(body?.kind === 'json' ? { body: body.schema } : {}),
    ...(body?.kind === 'bytes' ? { consumes: ['application/octet-stream', 'application/x-tar'] } : {}),
    ...headersOf(route),
    description: descriptionOf(route),
    response: { ...Object.fromEntries(answers), '4xx': PROBLEM, '5xx': PROBLEM },
  };
}

function answerOf({ streams = [] }: RouteEntry, schema: z.ZodType | undefined): unknown {
  const streamed = streams.map((type) => [type, { schema: z.string() }]);
  if (streamed.length === 0) return schema ?? EMPTY;
  const json = schema === undefined ? [] : [['application/json', { schema }]];
  return { description: 'As asked for.', content: Object.fromEntries([...json, ...streamed]) };
}

/** Read by hand (authentication, idempotency, etags); here for the description only, so nothing is refused for them. */
function headersOf(route: RouteEntry): { readonly headers?: z.ZodType } {
  const headers = {
    ...(route.creates
      ? { 'idempotency-key': z.string().exactOptional().describe('The same answer for the same request, for 24 hours.') }
      : {}),
    ...(route.ifMatch === true ? { 'if-match': z.string().exactOptional().describe('The etag that the change is meant for.') } : {}),
    ...(route.streams?.includes('text/event-stream') === true
      ? { 'last-event-id': z.string().exactOptional().describe('Where a stream goes on.') }
      : {}),
  };
  return Object.keys(headers).length === 0 ? {} : { headers: z.looseObject(headers) };
}

function descriptionOf({ scope }: RouteEntry): string {
  if (scope === 'none') return 'Nobody is asked who they are.';
  return scope === 'any' ? 'Any known asker.' : `Needs \`${scope}\`.`;
}
