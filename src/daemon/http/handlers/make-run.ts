import type { CreateRunBody } from '../../../api/run-request-schema.ts';
import type { Principal } from '../../../model/security.ts';
import { holds } from '../../../service/security/authorisation.ts';
import { makeQuickRun } from '../../../service/tasks/quick-run.ts';
import type { MadeRun, RunReason } from '../../../service/tasks/run-settings.ts';
import { guardConcurrency } from '../../../service/tasks/task-guard.ts';
import { makeRunRequest } from '../../../service/tasks/task-to-run.ts';
import type { HttpServices } from '../services.ts';

/** The one request that a run service takes, from what somebody asked for by hand. */
export async function makeRun({ tasks, defaults, images }: HttpServices, principal: Principal, body: CreateRunBody): Promise<MadeRun> {
  guardConcurrency(principal, body.concurrency);
  const reason: RunReason = {
    causes: [{ kind: 'manual', principal: principal.name, from: principal.from }],
    keepPolicy: holds(principal, 'admin'),
  };
  if (body.type !== 'TaskRunRequest') {
    const { isArchiveEnabled: _kept, ...input } = body;
    return makeQuickRun(input, reason, defaults);
  }
  const { type: _type, task, isArchiveEnabled: _kept, overrideTaskStepProperties = {}, ...settings } = body;
  const record = await tasks.get(principal, task);
  const baseImages = await images.freshBaseImagesOf(record);
  return makeRunRequest(record.definition, { ...settings, ...overrideTaskStepProperties }, { ...reason, baseImages }, defaults);
}
