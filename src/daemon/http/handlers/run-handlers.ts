import { runResourceOf, runSummaryOf } from '../../../api/run-resource.ts';
import type { RunResource } from '../../../api/run-schema.ts';
import type { RunRecord } from '../../../model/run-record.ts';
import { authorise, holds, visibleTasks } from '../../../service/security/authorisation.ts';
import type { HttpServices } from '../services.ts';
import type { Handlers } from './call.ts';
import { numberAfter, pageOfItems } from './cursor.ts';
import { makeRun } from './make-run.ts';

type RunRoute = 'createRun' | 'listRuns' | 'getRun' | 'patchRun' | 'cancelRun' | 'rerun';

const OUTCOMES = { canceled: 'ended', canceling: 'asked', ended: 'terminal' } as const;

export function runHandlers(services: HttpServices): Handlers<RunRoute> {
  const { runs, store } = services;
  const created = async (run: RunRecord) => ({
    status: 201 as const,
    body: await showRun(services, run),
    headers: { location: `/api/v1/runs/${run.id}` },
  });
  return {
    createRun: async ({ principal, body, request: { takenKey } }) => {
      // The same as to ask for it afterwards.
      if (body.isArchiveEnabled) authorise(principal, 'run:write', { task: body.type === 'TaskRunRequest' ? body.task : undefined });
      const { request, secrets } = await makeRun(services, principal, body);
      const run = await runs.create(request, principal, secrets, takenKey?.name);
      return created(body.isArchiveEnabled ? await runs.setArchived(run.id, true, principal) : run);
    },
    rerun: async ({ principal, run, body, request: { takenKey } }) => {
      return created(await runs.rerun(run.id, principal, { ...body, keepPolicy: holds(principal, 'admin') }, takenKey?.name));
    },
    listRuns: async ({ principal, query: { top, after, ...filter } }) => {
      const before = numberAfter(after);
      const visible = visibleTasks(principal);
      const found = await store.runs.list({
        ...filter,
        limit: top + 1,
        ...(before === undefined ? {} : { before }),
        ...(visible === undefined ? {} : { visibleTasks: visible }),
      });
      const waiting = found.some(({ status }) => status === 'Queued') ? await waitingById(services) : undefined;
      return {
        status: 200,
        body: pageOfItems(
          found,
          top,
          (run) => runSummaryOf(run, waiting?.get(run.id)),
          ({ number }) => number,
        ),
      };
    },
    getRun: async ({ run }) => ({ status: 200, body: await showRun(services, run) }),
    patchRun: async ({ principal, run, body }) => ({
      status: 200,
      body: await showRun(services, await runs.setArchived(run.id, body.isArchiveEnabled, principal)),
    }),
    cancelRun: async ({ principal, run, body }) => {
      const { kind } = await runs.cancel(run.id, principal, body.reason === '' ? undefined : body.reason);
      return { status: kind === 'canceling' ? 202 : 200, body: { runId: run.id, outcome: OUTCOMES[kind] } };
    },
  };
}

async function showRun(services: HttpServices, run: RunRecord): Promise<RunResource> {
  const [log, waiting] = await Promise.all([
    services.logs.stat(run.id),
    run.status === 'Queued' ? waitingById(services).then((byId) => byId.get(run.id)) : undefined,
  ]);
  return runResourceOf(run, { log, waiting });
}

async function waitingById({ queue }: HttpServices) {
  return new Map((await queue.waiting()).map((waiting) => [waiting.run, waiting]));
}
