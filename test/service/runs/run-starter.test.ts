import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FireOrder, RunStarter } from '../../../src/model/ports/run-starter.ts';
import type { Cause } from '../../../src/model/run-record.ts';
import type { TaskDefinition, TaskRecord } from '../../../src/model/task-definition.ts';
import { createRunStarter } from '../../../src/service/runs/run-starter.ts';
import { standardTaskDefaults } from '../../../src/service/tasks/task-defaults.ts';
import { taskDefinition } from '../../contract/store-values.ts';
import { AGENT, ASKER, type Folder, makeFolder, NOW, openPlane, type Plane } from './control-plane.ts';

const COMMIT = 'c'.repeat(40);
const TRACKED = [{ reference: 'node:20', use: 'node:20.9' }];
const DEFAULTS = standardTaskDefaults('x64');

let folder: Folder;
let plane: Plane;
let starter: RunStarter;
beforeEach(async () => {
  folder = await makeFolder();
  await reopen({});
});
afterEach(async () => {
  await plane.stop();
  await folder.remove();
});

async function reopen(options: Parameters<typeof openPlane>[1]): Promise<void> {
  if (plane !== undefined) await plane.stop().catch(() => undefined);
  plane = await openPlane(folder, options);
  starter = createRunStarter({
    runs: plane.runs,
    defaults: DEFAULTS,
    baseImagesOf: async ({ definition }) => (definition.name === 'tracked' ? TRACKED : []),
  });
}

async function task(name: string, parts: Partial<TaskDefinition> = {}): Promise<TaskRecord> {
  const written = await plane.store.tasks.create(taskDefinition(name, parts));
  if (!written.ok) throw new Error(written.because);
  return written.value;
}

function source(branch: string, commit = COMMIT): Cause {
  const repositoryUrl = 'https://git.example/web.git';
  return { kind: 'source', event: 'commit', trigger: 'push', repositoryUrl, branch, commit, provider: 'Gitea', eventId: 'e1' };
}

function order(record: TaskRecord, parts: Partial<FireOrder> & { readonly key?: string } = {}): FireOrder {
  const { key = `refs/heads/main ${COMMIT}`, ...rest } = parts;
  const firing = { taskId: record.id, trigger: 'push', keys: [key], event: 'e1' };
  return { task: record, firing, causes: [source('main')], trust: 'trusted', ...rest };
}

describe('a firing', () => {
  test('makes one run by the definition of its task, and is told to the audit by its trigger', async () => {
    const record = await task('web', { priority: 5 });
    const contextPath = `https://git.example/web.git#${COMMIT}:app`;
    const first = await starter.fire(order(record, { source: { contextPath, pinnedCommit: COMMIT, pinnedRef: 'refs/heads/main' } }));
    expect(first).toMatchObject({ created: true, run: { status: 'Queued', request: { task: 'web', priority: 5, runType: 'AutoRun' } } });
    const id = first?.created === true ? first.run.id : '';
    expect((await plane.get(id)).request).toMatchObject({
      ...{ pinnedCommit: COMMIT, pinnedRef: 'refs/heads/main', step: { contextPath } },
      variables: { Commit: COMMIT, Branch: 'main', Repository: 'https://git.example/web.git', TriggeredBy: 'Commit' },
    });
    expect(await starter.fire(order(record))).toEqual({ created: false, run: id });
    expect(await plane.store.audit.list({ limit: 10, action: 'run.create' })).toMatchObject([
      { principal: 'trigger push', target: id, details: { task: 'web', cause: 'source', event: 'e1' } },
    ]);
    await plane.gateway.register(AGENT);
    expect((await plane.gateway.claim(AGENT.id, NOW))?.run).toBe(id);
  });

  test.each([
    ['a commit', { trust: 'trusted' }],
    ['a fork', { trust: 'untrusted' }],
    ['nobody', { trust: 'trusted', background: true }],
  ] as const)('takes the newest tags that the task tracks, of %s too, and so does its rerun', async (_whose, parts) => {
    const made = await starter.fire(order(await task('tracked'), parts));
    const { id = '', request } = made?.created === true ? made.run : {};
    expect(request?.baseImages).toEqual(TRACKED);
    expect((await plane.runs.rerun(id, ASKER)).request.baseImages).toEqual(TRACKED);
    const other = await starter.fire(order(await task('web'), parts));
    expect(other?.created === true && other.run.request.baseImages).toBeUndefined();
  });

  test('of a task that is gone makes none', async () => {
    const record = await task('web');
    await plane.store.tasks.delete('web', {});
    expect(await starter.fire(order(record))).toBeUndefined();
  });

  test('that nobody asked for is behind everything', async () => {
    const fired = await starter.fire(order(await task('web', { priority: 5 }), { background: true }));
    expect(fired).toMatchObject({ run: { request: { priority: -100, background: true } } });
    const again = await plane.runs.rerun(fired?.created === true ? fired.run.id : '', ASKER);
    expect(again.request.background).toBeUndefined();
    expect(again.request.priority).toBe(5);
  });

  test('supersedes those of its branch, and of no other', async () => {
    const record = await task('web', { concurrency: { group: '${task} ${branch}', limit: 1, onConflict: 'cancel-running' } });
    const fire = async (branch: string, commit: string): Promise<string> => {
      const fired = await starter.fire(order(record, { key: `${branch} ${commit}`, causes: [source(branch, commit)] }));
      return fired?.created === true ? fired.run.id : '';
    };
    const [one, other, two] = [await fire('main', 'a'.repeat(40)), await fire('next', 'b'.repeat(40)), await fire('main', COMMIT)];
    expect(await Promise.all([one, other, two].map(async (id) => (await plane.get(id)).status))).toEqual(['Canceled', 'Queued', 'Queued']);
    expect((await plane.get(one)).error?.message).toContain(two);
  });

  test('waits when the daemon has no room, and is not used up by that', async () => {
    const record = await task('web');
    await reopen({ maxQueued: 1 });
    await starter.fire(order(record, { key: 'one' }));
    await expect(starter.fire(order(record, { key: 'two' }))).rejects.toMatchObject({ code: 'queue-full', transient: true });
    await reopen({ diskRefusal: async () => 'full' });
    await expect(starter.fire(order(record, { key: 'two' }))).rejects.toMatchObject({ code: 'disk-full', transient: true });
    await reopen({});
    expect(await starter.fire(order(record, { key: 'two' }))).toMatchObject({ created: true });
  });

  test('is quick: a thousand in two seconds', async () => {
    const records = await Promise.all(Array.from({ length: 1000 }, (_, index) => task(`t${index}`)));
    const started = performance.now();
    await Promise.all(records.map((record) => starter.fire(order(record, { background: true, hold: { because: 'window' } }))));
    expect(performance.now() - started).toBeLessThan(2000);
    expect((await plane.queue.state()).queued).toBe(1000);
  });
});

describe('a held run', () => {
  test('is queued, is not offered, says why, and goes on when its hold is taken away', async () => {
    await plane.gateway.register(AGENT);
    const fired = await starter.fire(order(await task('web'), { hold: { because: 'waits for further base images', runs: ['ra009'] } }));
    const id = fired?.created === true ? fired.run.id : '';
    expect(await plane.gateway.claim(AGENT.id, NOW)).toBeUndefined();
    expect(await plane.runs.waitingOf(id)).toMatchObject({ reason: 'held', because: 'waits for further base images' });
    expect(await starter.hold(id, undefined)).toBe('done');
    expect((await plane.gateway.claim(AGENT.id, NOW))?.run).toBe(id);
    expect(await starter.hold(id, { because: 'too late' })).toBe('stale');
  });

  test('takes further firings in until it has been claimed', async () => {
    await plane.gateway.register(AGENT);
    const record = await task('web');
    const image = (digest: string): Cause => {
      const images = [{ registry: 'docker.io', repository: 'library/node', tag: '20', digest }];
      return { kind: 'image-update', trigger: 'base', images };
    };
    const fired = await starter.fire(order(record, { key: 'one', causes: [image('sha256:1')], hold: { because: 'window' } }));
    const id = fired?.created === true ? fired.run.id : '';
    const firing = { taskId: record.id, trigger: 'push', keys: ['two'], event: 'e2' };
    expect(await starter.join(id, { cause: image('sha256:2'), firing })).toBe('done');
    expect((await plane.get(id)).request.causes).toMatchObject([{ images: [{ digest: 'sha256:2' }] }]);
    expect(await starter.fire(order(record, { key: 'two' }))).toEqual({ created: false, run: id });
    await starter.hold(id, undefined);
    await plane.gateway.claim(AGENT.id, NOW);
    expect(await starter.join(id, { cause: image('sha256:3'), firing: { ...firing, keys: ['three'] } })).toBe('stale');
  });

  test('can be canceled, and ends by its time in the queue', async () => {
    const record = await task('web');
    const fired = await starter.fire(order(record, { hold: { because: 'waits' } }));
    const id = fired?.created === true ? fired.run.id : '';
    await starter.cancel(id, 'the pull request was closed');
    expect(await plane.get(id)).toMatchObject({ status: 'Canceled', error: { message: 'the pull request was closed' } });
    expect((await plane.queue.state()).queued).toBe(0);
  });

  test('of untrusted code waits for a person, who approves its commit and no other; nobody gets round that by a rerun', async () => {
    await plane.gateway.register(AGENT);
    const approval = { because: 'waits for an approval', approval: { commit: COMMIT } };
    const pinned = { contextPath: `https://git.example/web.git#${COMMIT}`, pinnedCommit: COMMIT };
    const fired = await starter.fire(order(await task('web'), { trust: 'untrusted', hold: approval, source: pinned }));
    const id = fired?.created === true ? fired.run.id : '';
    const again = await plane.runs.rerun(id, ASKER);
    expect(again.hold?.approval?.commit).toBe(COMMIT);
    await plane.runs.cancel(again.id, ASKER);
    expect((await plane.runs.rerun(again.id, ASKER)).hold?.approval?.commit).toBe(COMMIT);
    await expect(plane.runs.approve(id, ASKER, 'deadbeef')).rejects.toMatchObject({ code: 'conflict' });
    const approved = await plane.runs.approve(id, ASKER, COMMIT.slice(0, 10).toUpperCase());
    expect(approved).toMatchObject({ approval: { by: ASKER.name, commit: COMMIT } });
    expect(approved.hold).toBeUndefined();
    await expect(plane.runs.approve(id, ASKER)).rejects.toMatchObject({ code: 'conflict' });
    expect((await plane.gateway.claim(AGENT.id, NOW))?.run).toBe(id);
    expect((await plane.store.audit.list({ limit: 1, action: 'run.approve' }))[0]).toMatchObject({ principal: ASKER.name, target: id });
    expect((await plane.runs.rerun(id, ASKER)).hold).toBeUndefined();
  });
});

test('what people ask for by hand is an event with its run as decision, in one go', async () => {
  const { id } = await plane.create();
  const [event] = await plane.store.events.list({ limit: 10 });
  expect(event).toMatchObject({ origin: 'manual', status: 'settled', happening: { kind: 'manual', task: 'app', by: ASKER.name } });
  expect(await plane.store.events.decisions({ run: id, limit: 10 })).toMatchObject([
    { event: event?.id, task: 'app', outcome: 'run', code: 'fired' },
  ]);
});
