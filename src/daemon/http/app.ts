import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ROUTES } from '../../api/routes.ts';
import { EngineError } from '../../model/engine-error.ts';
import { addBodyParsers } from './body-parsers.ts';
import { type Door, guardDoor } from './door.ts';
import type { Handlers } from './handlers/call.ts';
import { addHookRoutes } from './hook-door.ts';
import { describeApi } from './openapi.ts';
import type { HttpLimits, HttpServerOptions } from './options.ts';
import { RetryLater, sendProblem } from './problem.ts';
import { logRequests, requestId } from './request-log.ts';
import { addRoute } from './route.ts';
import type { HttpServices } from './services.ts';
import { zodSentence } from './zod-sentence.ts';

export interface AppParts {
  readonly services: HttpServices;
  readonly handlers: (description: () => { readonly openapi: string }) => Handlers;
  readonly options: Pick<HttpServerOptions, 'logger' | 'metrics' | 'publicUrl'>;
  readonly limits: HttpLimits;
  readonly door: Door;
}

/** The routes of the table behind their guards, without a listener. */
export async function createApp({ services, handlers, options, limits, door }: AppParts): Promise<FastifyInstance> {
  const logger: FastifyBaseLogger = options.logger;
  const app: FastifyInstance = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestId,
    bodyLimit: limits.bodyBytes,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 512, caseSensitive: true, ignoreTrailingSlash: false },
    return503OnClosing: false,
    frameworkErrors: sendProblem,
  });
  // There is no way to give it to the compiler alone; schemas that say it themselves go first.
  z.config({ customError: zodSentence });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(sendProblem);
  addBodyParsers(app);
  logRequests(app, options.metrics);
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] } },
    // Said by whoever ends TLS in front of the daemon.
    strictTransportSecurity: false,
  });
  await describeApi(app, { version: services.operations.version, url: options.publicUrl });
  guardDoor(app, door);
  await app.register(rateLimit, {
    max: limits.requestsPerMinute,
    timeWindow: 60_000,
    cache: 10_000,
    keyGenerator: (request) => door.keyOf(request),
    allowList: (request) => door.isLocal(request),
    errorResponseBuilder: (_request, { ttl }) => new RetryLater('rate-limited', 'too many requests within a minute', Math.ceil(ttl / 1000)),
  });
  await addHookRoutes(app, { intake: services.intake, limits, metrics: options.metrics });
  refuseOtherMethods(app);
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request) => {
    throw new EngineError('not-found', `there is no ${request.method} ${request.url.slice(0, 200)}`, {
      help: '`/api/openapi.json` lists every route.',
    });
  });
  const table = handlers(() => app.swagger() as ReturnType<typeof app.swagger> & { openapi: string });
  for (const route of ROUTES) addRoute(app, route, table, { services, limits, door });
  await app.ready();
  return app;
}

/** Somebody opened the address of a webhook: that it is posted to is no secret. */
function refuseOtherMethods(app: FastifyInstance): void {
  for (const url of ['/hooks/:id', '/hooks/:id/:secret']) {
    app.route({
      ...{ method: ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'], url },
      schema: { hide: true },
      config: { delivery: true },
      onRequest: async (_request, reply) =>
        reply.code(405).header('allow', 'POST').type('application/json').serializer(JSON.stringify).send({
          error: 'this is the address of a webhook: forges and registries post to it (`task trigger webhook` says how)',
        }),
      handler: () => undefined,
    });
  }
}
