import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TerminalStatus } from '../../../src/model/run-record.ts';
import { runRequest, taskDefinition } from '../../contract/store-values.ts';
import { createFakeClock } from '../../fakes/fake-clock.ts';
import { waitFor } from '../../support/wait-for.ts';
import { AGENT, ASKER, begin, type Folder, makeFolder, NOW, openPlane, type Plane, SUCCEEDED } from './control-plane.ts';

let folder: Folder;
let plane: Plane;
beforeEach(async () => {
  folder = await makeFolder();
  plane = await openPlane(folder);
});
afterEach(async () => {
  await plane.stop();
  await folder.remove();
});

async function reopen(options: Parameters<typeof openPlane>[1]): Promise<void> {
  await plane.stop();
  plane = await openPlane(folder, options);
}

const grouped = (onConflict: 'queue' | 'cancel-pending' | 'cancel-running' | 'skip', limit = 1) => ({
  concurrency: { group: 'deploy', limit, onConflict },
});

async function statuses(...ids: readonly string[]): Promise<readonly string[]> {
  return Promise.all(ids.map(async (id) => (await plane.get(id)).status));
}

describe('a full concurrency group', () => {
  test('queue: the new run waits and says for what', async () => {
    await plane.gateway.register(AGENT);
    const first = await plane.create(grouped('queue'));
    await plane.gateway.claim(AGENT.id, NOW);
    const second = await plane.create(grouped('queue'));
    expect(await plane.gateway.claim(AGENT.id, NOW)).toBeUndefined();
    expect(await plane.runs.waitingOf(second.id)).toMatchObject({
      position: 1,
      reason: 'group-full',
      because: expect.stringContaining(first.id),
    });
  });

  test('cancel-pending ends what waits, cancel-running what runs too, and untrusted runs never end trusted ones', async () => {
    await plane.gateway.register(AGENT);
    const running = await plane.create(grouped('cancel-pending'));
    const lease = await plane.gateway.claim(AGENT.id, NOW);
    const pending = await plane.create(grouped('cancel-pending'));
    const newer = await plane.create(grouped('cancel-pending'));
    expect(await statuses(running.id, pending.id, newer.id)).toEqual(['Started', 'Canceled', 'Queued']);
    expect((await plane.get(pending.id)).error?.message).toBe(`superseded by run ${newer.id} of concurrency group "deploy"`);
    await plane.create({ ...grouped('cancel-running'), trust: 'untrusted' });
    expect(await statuses(running.id, newer.id)).toEqual(['Started', 'Queued']);
    expect((await plane.get(running.id)).cancel).toBeUndefined();
    const last = await plane.create(grouped('cancel-running'));
    expect(await statuses(newer.id, last.id)).toEqual(['Canceled', 'Queued']);
    expect((await plane.gateway.renew(AGENT.id, lease === undefined ? [] : [lease])).cancel).toMatchObject([{ run: running.id }]);
  });

  test('skip: of many that come at once as many stay as the limit says', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => plane.create(grouped('skip', 3))));
    expect(made.filter(({ status }) => status === 'Queued').length).toBe(3);
    expect(made.filter(({ status }) => status === 'Canceled').length).toBe(17);
    expect(made.at(-1)?.error?.message).toMatch(/^skipped: concurrency group "deploy" is full \(ra001, ra002, ra003\)/);
  });
});

describe('new runs are refused', () => {
  test('when the disk is full, when the queue is full, and when the daemon is ending', async () => {
    let full: string | undefined = 'the disk is 93 % full';
    await reopen({ diskRefusal: async () => full, maxQueued: 5 });
    await expect(plane.create()).rejects.toMatchObject({ code: 'disk-full', message: 'the disk is 93 % full' });
    full = undefined;
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => plane.create()));
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(5);
    await expect(plane.create()).rejects.toMatchObject({ code: 'queue-full' });
    plane.runs.drain();
    await expect(plane.create()).rejects.toMatchObject({ code: 'draining' });
  });
});

test('the time in the queue counts from the approval, or from the end of another hold', async () => {
  const clock = createFakeClock();
  await reopen({ clock });
  const commit = 'c'.repeat(40);
  const approved = await plane.create({ queueTimeout: 60 });
  const released = await plane.create({ queueTimeout: 60 });
  await plane.runs.hold(approved.id, { because: 'waits for approval', approval: { commit } });
  await plane.runs.hold(released.id, { because: 'waits for ra009', runs: ['ra009'] });
  await clock.advance(90_000);
  await reopen({ clock });
  await clock.advance(130_000);
  expect(await statuses(approved.id, released.id)).toEqual(['Queued', 'Queued']);
  await plane.runs.approve(approved.id, ASKER);
  await clock.advance(30_000);
  await plane.runs.hold(released.id, undefined);
  await clock.advance(29_000);
  expect(await statuses(approved.id, released.id)).toEqual(['Queued', 'Queued']);
  await clock.advance(1000);
  await waitFor(async () => ((await plane.get(approved.id)).status === 'Timeout' ? true : undefined));
  expect(await statuses(released.id)).toEqual(['Queued']);
  await reopen({ clock });
  await clock.advance(29_000);
  expect(await statuses(released.id)).toEqual(['Queued']);
  await clock.advance(1000);
  await waitFor(async () => ((await plane.get(released.id)).status === 'Timeout' ? true : undefined));
});

test('a run that waits too long ends as Timeout and says for what it waited; one that was claimed in time goes on', async () => {
  const clock = createFakeClock();
  await reopen({ clock });
  await plane.gateway.register(AGENT);
  await plane.runs.pauseQueue(ASKER, 'upgrade');
  const waits = await plane.create({ queueTimeout: 60 });
  const survives = await plane.create({ queueTimeout: 90 });
  await clock.advance(59_000);
  expect(await statuses(waits.id)).toEqual(['Queued']);
  await reopen({ clock });
  await clock.advance(1000);
  const ended = await waitFor(async () => {
    const record = await plane.get(waits.id);
    return record.status === 'Queued' ? undefined : record;
  });
  expect(ended).toMatchObject({
    ...{ status: 'Timeout', attempt: 0 },
    error: { errorCode: 'queue-timeout', message: expect.stringMatching(/^waited longer than 60 s in the queue: .*upgrade/) },
  });
  expect(ended.startTime).toBeUndefined();
  await plane.gateway.register(AGENT);
  await plane.runs.resumeQueue(ASKER);
  const lease = await plane.gateway.claim(AGENT.id, NOW);
  expect(lease?.run).toBe(survives.id);
  if (lease !== undefined) await begin(plane.gateway, lease);
  await clock.advance(40_000);
  expect(await plane.get(survives.id)).toMatchObject({ attempt: 1, status: 'Running' });
});

test('a rerun repeats the request with its trust; rights that the task has lost are lost; its cause says where it comes from', async () => {
  const rights = { privileged: true, hostMounts: true, dockerSocket: true };
  await plane.store.tasks.create(taskDefinition('app', { policy: { ...rights, privileged: false }, step: runRequest().step }));
  const first = await plane.create({ policy: rights, trust: 'untrusted' });
  const again = await plane.runs.rerun(first.id, { name: 'me', from: 'unix' }, { priority: 7 });
  expect(again.request).toEqual({
    ...first.request,
    ...{ priority: 7, policy: { ...rights, privileged: false } },
    causes: [{ kind: 'rerun', principal: 'me', run: first.id }, ...first.request.causes],
  });
  await expect(plane.runs.rerun('ra999', ASKER)).rejects.toMatchObject({ code: 'not-found' });
  await expect(plane.runs.get('../../etc/passwd')).rejects.toMatchObject({ code: 'not-found' });
});

test('a rerun keeps special rights only for what the task runs by itself, unless an admin asks', async () => {
  const policy = { privileged: true, hostMounts: false, dockerSocket: false };
  const none = { ...policy, privileged: false };
  const step = { type: 'FileTask' as const, taskFilePath: 'acb.yaml', values: [] };
  await plane.store.tasks.create(taskDefinition('app', { policy, step }));
  const rights = async (id: string, keepPolicy?: boolean) =>
    (await plane.runs.rerun(id, ASKER, keepPolicy === undefined ? {} : { keepPolicy })).request.policy;
  const own = await plane.create({ policy, step });
  expect(await rights(own.id)).toEqual(policy);
  const others = [
    { step: { ...step, contextPath: 'https://git.example/app.git#moving' } },
    { step: { ...step, values: [{ name: 'V', value: 'x', isSecret: false as const }] } },
    { step, env: ['BASH_ENV=/workspace/x'] },
  ];
  for (const other of others) {
    const { id } = await plane.create({ policy, ...other });
    expect([await rights(id), await rights(id, false), await rights(id, true)]).toEqual([none, none, policy]);
  }
  await plane.store.tasks.replace(taskDefinition('app', { policy, step: { ...step, taskFilePath: 'mended.yaml' } }), {});
  expect(await rights(own.id)).toEqual(none);
});

test('secrets of a request open for no other request', async () => {
  const step = {
    type: 'FileTask' as const,
    taskFilePath: 'acb.yaml',
    values: [{ name: 'KEY', value: { sealed: 'run' }, isSecret: true as const }],
  };
  const { id } = await plane.runs.create(runRequest({ task: 'app', step }), ASKER, { 'argument:KEY': 'canary-value' });
  const sealed = await plane.store.runs.sealed(id);
  expect(Buffer.from(sealed ?? []).includes('canary-value')).toBe(false);
  await plane.store.runs.create({ request: runRequest({ task: 'evil', step }), ...(sealed === undefined ? {} : { sealed }) });
  await plane.gateway.register(AGENT);
  const [own, stolen] = [await plane.gateway.claim(AGENT.id, NOW), await plane.gateway.claim(AGENT.id, NOW)];
  if (own === undefined) throw new Error('nothing to claim');
  expect((await plane.gateway.secrets(own, { kind: 'request' })).values).toEqual({ KEY: 'canary-value' });
  plane.queue.notify();
  const other = stolen ?? (await plane.gateway.claim(AGENT.id, NOW));
  if (other === undefined) throw new Error('nothing to claim');
  await expect(plane.gateway.secrets(other, { kind: 'request' })).rejects.toMatchObject({ code: 'secret-unavailable' });
});

test('the events of a run end with run-finished, whoever ended it', async () => {
  const { id } = await plane.create();
  expect(await plane.runs.cancel(id, ASKER, 'not needed')).toMatchObject({ kind: 'canceled', run: { status: 'Canceled' } });
  expect(await plane.runs.cancel(id, ASKER)).toMatchObject({ kind: 'ended' });
  const query = { after: 0, limit: 10 };
  expect(await plane.runs.events(id, query)).toMatchObject([
    { seq: 1, type: 'run-finished', status: 'Canceled', failure: { message: 'not needed' } },
  ]);
  expect(await plane.runs.events(id, { ...query, after: 1 })).toEqual([]);
});

test('each of many runs that are canceled, claimed and finished side by side ends once, as its winner said', {
  timeout: 60_000,
}, async () => {
  const { gateway, runs } = plane;
  await gateway.register({ ...AGENT, slots: 10_000 });
  for (let batch = 0; batch < 5; batch += 1) {
    const made = await Promise.all(Array.from({ length: 400 }, (_, index) => plane.create({ task: `t${index % 7}` })));
    const finished = new Map<string, TerminalStatus>();
    const work = async (): Promise<void> => {
      const lease = await gateway.claim(AGENT.id, NOW);
      if (lease === undefined) return;
      const { cancel } = await gateway.renew(AGENT.id, [lease]).then(({ cancel: [first] }) => ({ cancel: first }));
      const status = cancel === undefined ? 'Succeeded' : 'Canceled';
      await gateway.finish(lease, { ...SUCCEEDED, status });
      expect(finished.has(lease.run)).toBe(false);
      finished.set(lease.run, status);
    };
    const answers = await Promise.all(
      made.flatMap(({ id }, index) => (index % 2 === 0 ? [work(), runs.cancel(id, ASKER)] : [runs.cancel(id, ASKER), work()])),
    );
    const kinds = new Map(answers.flatMap((answer) => (answer === undefined ? [] : [[answer.run.id, answer.kind] as const])));
    for (const { id } of made) {
      const record = await plane.get(id);
      if (kinds.get(id) === 'canceled') expect([record.status, record.attempt, finished.has(id)]).toEqual(['Canceled', 0, false]);
      else expect([record.status, record.attempt]).toEqual([finished.get(id), 1]);
      if (kinds.get(id) === 'ended') expect(record.cancel).toBeUndefined();
    }
  }
  expect(plane.problems).toEqual([]);
});

test('cancel and finish of the same run have one winner, ten thousand times', { timeout: 120_000 }, async () => {
  const { gateway, store } = plane;
  await gateway.register({ ...AGENT, slots: 10_000 });
  for (let batch = 0; batch < 20; batch += 1) {
    const made = await Promise.all(Array.from({ length: 500 }, () => store.runs.create({ request: runRequest() })));
    const ends = await Promise.all(
      made.map(async ({ id }, index) => {
        const early = index % 2 === 0;
        const cancel = () => store.runs.requestCancel(id, { by: 'me', reason: 'r' });
        const finish = async () => {
          const claimed = await store.runs.claim(id, { agent: 'a', from: 0 });
          return claimed === undefined ? 'never' : store.runs.finish(id, 1, { ...SUCCEEDED, steps: [] });
        };
        const [first, second] = early ? await Promise.all([cancel(), finish()]) : (await Promise.all([finish(), cancel()])).toReversed();
        return { id, canceled: first, finished: second };
      }),
    );
    for (const { id, canceled, finished } of ends) {
      expect([canceled === 'ended', finished === 'done'].filter(Boolean).length).toBe(1);
      expect((await plane.get(id)).status).toBe(finished === 'done' ? 'Succeeded' : 'Canceled');
    }
  }
});
