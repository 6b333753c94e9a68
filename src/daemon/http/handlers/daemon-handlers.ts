import type { QueueResource } from '../../../api/queue-schema.ts';
import { waitingOf } from '../../../api/run-resource.ts';
import { EngineError } from '../../../model/engine-error.ts';
import type { Principal } from '../../../model/security.ts';
import { scopesOf, visibleTasks } from '../../../service/security/authorisation.ts';
import type { HttpLimits } from '../options.ts';
import type { HttpServices } from '../services.ts';
import type { Handlers } from './call.ts';
import { guardedUpload } from './guarded-upload.ts';

type DaemonRoute =
  | 'headUpload'
  | 'putUpload'
  | 'getQueue'
  | 'pauseQueue'
  | 'resumeQueue'
  | 'listAgents'
  | 'gc'
  | 'me'
  | 'version'
  | 'healthz'
  | 'readyz'
  | 'metrics'
  | 'openapi';

export function daemonHandlers(
  services: HttpServices,
  limits: Pick<HttpLimits, 'uploadBytes' | 'bodyMs'>,
  description: () => { readonly openapi: string },
): Handlers<DaemonRoute> {
  const { runs, uploads, operations, audit } = services;
  return {
    headUpload: async ({ params: { sha256 }, reply }) => {
      // Who is about to send a larger one can say so at once: an answer in the middle of a body is easily lost.
      void reply.header('x-upload-limit', String(limits.uploadBytes));
      if (await uploads.has(sha256)) return { status: 204 };
      throw new EngineError('not-found', `no context ${sha256} is here`);
    },
    putUpload: async ({ params: { sha256 }, body }) => {
      if (runs.draining) throw new EngineError('draining', 'the daemon is ending and takes no further context');
      const { content, signal } = guardedUpload(body, limits.bodyMs);
      const { bytes } = await uploads.put(sha256, content, { maxBytes: limits.uploadBytes, signal });
      return { status: 201, body: { sha256, bytes } };
    },
    getQueue: async ({ principal }) => ({ status: 200, body: await showQueue(services, principal) }),
    pauseQueue: async ({ principal, body }) => {
      await runs.pauseQueue(principal, body.reason === '' ? undefined : body.reason);
      return { status: 200, body: await showQueue(services, principal) };
    },
    resumeQueue: async ({ principal }) => {
      await runs.resumeQueue(principal);
      return { status: 200, body: await showQueue(services, principal) };
    },
    listAgents: async ({ principal }) => ({ status: 200, body: { items: await shownAgents(services, principal) } }),
    gc: async ({ principal, body }) => {
      const report = await operations.gc(principal, body);
      if (!report.dryRun) await audit.record(principal, { action: 'gc', target: 'daemon', details: { ...report } });
      return { status: 200, body: report };
    },
    me: async ({ principal }) => {
      const { name, role, tasks, tokenId, from } = principal;
      return {
        status: 200,
        body: {
          ...{ name, role, from, scopes: scopesOf(principal) },
          ...(tasks === undefined ? {} : { tasks }),
          ...(tokenId === undefined ? {} : { tokenId }),
        },
      };
    },
    version: async () => ({
      status: 200,
      body: { name: 'slipway', version: operations.version, apiVersion: 'v1', daemonId: operations.daemonId },
    }),
    healthz: async () => ({ status: 200, body: { status: 'ok' } }),
    readyz: async () => {
      const readiness = await operations.readiness();
      return { status: readiness.ready ? 200 : 503, body: readiness };
    },
    metrics: async () => {
      const { contentType, text } = await operations.metrics();
      return { stream: text, type: contentType };
    },
    openapi: async () => ({ status: 200, body: { ...description() } }),
  };
}

async function showQueue({ queue, store }: HttpServices, principal: Principal): Promise<QueueResource> {
  const [state, waiting] = await Promise.all([queue.state(), queue.waiting()]);
  const seen = await visibleRuns(
    store.runs,
    principal,
    waiting.map(({ run }) => run),
  );
  return { ...state, waiting: waiting.filter(({ run }) => seen.has(run)).map((one) => ({ runId: one.run, ...waitingOf(one) })) };
}

async function shownAgents({ gateway, store }: HttpServices, principal: Principal) {
  const agents = gateway.agents();
  const seen = await visibleRuns(
    store.runs,
    principal,
    agents.flatMap(({ runs }) => runs),
  );
  return agents.map((agent) => ({ ...agent, runs: agent.runs.filter((run) => seen.has(run)) }));
}

/** Of these live runs, the ones of tasks that the asker may see. */
async function visibleRuns(
  runs: HttpServices['store']['runs'],
  principal: Principal,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const visible = visibleTasks(principal);
  if (visible === undefined || ids.length === 0) return new Set(ids);
  const wanted = new Set(ids);
  return new Set((await runs.live()).filter(({ id, request }) => wanted.has(id) && visible(request.task ?? '')).map(({ id }) => id));
}
