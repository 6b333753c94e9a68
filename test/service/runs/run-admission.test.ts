import { expect, test } from 'vitest';
import { RunAdmission } from '../../../src/service/runs/run-admission.ts';
import { runRequest } from '../../contract/store-values.ts';

test('untrusted runs fill half of the queue at most, and take no place of the trusted ones of their task', async () => {
  const waiting: { readonly task: string; readonly trust: 'trusted' | 'untrusted' }[] = [];
  const queued = ({ task, trust }: { readonly task?: string; readonly trust?: string } = {}) =>
    Promise.resolve(waiting.filter((run) => (task ?? run.task) === run.task && (trust ?? run.trust) === run.trust).length);
  const limits = { maxQueued: 10, maxQueuedPerTask: 5 };
  const admission = new RunAdmission({ queue: { queued }, limits, diskRefusal: async () => undefined });
  const create = (task: string, trust: 'trusted' | 'untrusted') =>
    admission.inPlace(runRequest({ task, trust }), async () => {
      waiting.push({ task, trust });
    });
  for (let count = 0; count < 5; count += 1) await create('app', 'untrusted');
  await expect(create('web', 'untrusted')).rejects.toMatchObject({
    code: 'queue-full',
    message: '5 untrusted runs wait, and the daemon takes 5 of them at most',
  });
  for (let count = 0; count < 5; count += 1) await create('app', 'trusted');
  await expect(create('web', 'trusted')).rejects.toMatchObject({ code: 'queue-full' });
});
