import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRetention, type Retention } from '../../../src/service/runs/retention.ts';
import { newEvent, newTask } from '../../contract/store-trigger-values.ts';
import { outcome, runRequest } from '../../contract/store-values.ts';
import { createFakeClock, type FakeClock } from '../../fakes/fake-clock.ts';
import { type Folder, makeFolder, openPlane, type Plane } from './control-plane.ts';

const DAY_MS = 24 * 3_600_000;
let folder: Folder;
let plane: Plane;
let clock: FakeClock;
let work: string[];
let retention: Retention;

beforeEach(async () => {
  folder = await makeFolder();
  clock = createFakeClock();
  plane = await openPlane(folder, { clock });
  work = [];
  retention = createRetention({
    ...{ store: plane.store, logs: plane.logs, uploads: plane.uploads, clock },
    times: { runsMs: 90 * DAY_MS, logsMs: 30 * DAY_MS, uploadsMs: 7 * DAY_MS, eventsMs: 30 * DAY_MS },
    work: {
      list: async () => work,
      remove: async (name) => {
        work = work.filter((other) => other !== name);
        return 100;
      },
    },
  });
});
afterEach(async () => {
  await plane.stop();
  await folder.remove();
});

async function endedRun(): Promise<string> {
  const { id } = await plane.create();
  const writer = await plane.logs.open(id);
  await writer.append({
    ...{ step: 'one', attempt: 1, stream: 'stdout', position: 6, afterEvent: 0 },
    bytes: Buffer.from('hello\n'),
    at: clock.now().toISOString(),
  });
  await writer.seal();
  await writer.close();
  await plane.store.runs.finish(id, undefined, outcome('Succeeded'));
  return id;
}

async function upload(content: string): Promise<string> {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const bytes = async function* () {
    yield Buffer.from(content);
  };
  await plane.uploads.put(sha256, bytes(), { maxBytes: 1000, signal: new AbortController().signal });
  return sha256;
}

test('logs go after 30 days and runs after 90, unless archived; a dry run removes nothing and tells the same', async () => {
  const [old, kept] = [await endedRun(), await endedRun()];
  await plane.store.runs.setArchived(kept, true);
  await clock.advance(31 * DAY_MS);
  const recent = await endedRun();
  const told = { runs: 0, logs: 1, bytes: 6 };
  expect(await retention.gc({ dryRun: true })).toMatchObject({ dryRun: true, ...told });
  expect(await retention.gc({ dryRun: false })).toMatchObject({ dryRun: false, ...told });
  expect(await retention.gc({ dryRun: false })).toMatchObject({ runs: 0, logs: 0, bytes: 0 });
  expect([await plane.logs.stat(old), (await plane.logs.stat(kept))?.bytes, (await plane.logs.stat(recent))?.bytes]).toEqual([
    undefined,
    6,
    6,
  ]);
  await clock.advance(60 * DAY_MS);
  // The run without its log, and the log of the newer run.
  expect(await retention.gc({ dryRun: true })).toMatchObject({ runs: 1, logs: 1, bytes: 6 });
  expect(await retention.gc({ dryRun: false })).toMatchObject({ runs: 1, logs: 1, bytes: 6 });
  expect([await plane.store.runs.get(old), (await plane.get(kept)).status, (await plane.get(recent)).status]).toEqual([
    undefined,
    'Succeeded',
    'Succeeded',
  ]);
});

test('logs without a run, old uploads that no live run needs, old keys and folders of ended runs go', async () => {
  const writer = await plane.logs.open('ra0zz');
  await writer.append({
    ...{ step: 'one', attempt: 1, stream: 'stdout', position: 3, afterEvent: 0 },
    bytes: Buffer.from('abc'),
    at: clock.now().toISOString(),
  });
  await writer.close();
  const [needed, unused] = [await upload('needed'), await upload('unused')];
  const step = { type: 'FileTask' as const, taskFilePath: 'acb.yaml', values: [], contextPath: `upload:${needed}` };
  const { id } = await plane.create({ step });
  const ended = await endedRun();
  work = [id, `${id}xabc123`, ended, `${ended}xabc123`];
  await plane.store.idempotency.begin({ principal: 'me', key: 'k', fingerprint: 'f', staleMs: 1000 });
  await clock.advance(8 * DAY_MS);
  expect(await retention.gc({ dryRun: false })).toEqual({
    ...{ dryRun: false, runs: 0, logs: 1, uploads: 1, events: 0, idempotencyKeys: 1, workFolders: 2 },
    bytes: 3 + 6 + 200,
  });
  expect([await plane.uploads.has(needed), await plane.uploads.has(unused)]).toEqual([true, false]);
  expect(work).toEqual([id, `${id}xabc123`]);
});

test('firings that nothing can use again go with their events', async () => {
  const { store } = plane;
  const task = await newTask(store);
  const { id: run } = await plane.create();
  await plane.store.runs.finish(run, undefined, outcome('Succeeded'));
  const [event] = await store.events.record([newEvent('end')]);
  const keys = [run, 'refs/heads/main 1'];
  for (const key of keys) {
    await store.runs.fire(
      { request: runRequest({ task: 'app' }) },
      { taskId: task.id, trigger: 'after', keys: [key], event: event?.id ?? '' },
    );
  }
  await store.events.settle([{ id: event?.id ?? '', decisions: [] }]);
  await clock.advance(31 * DAY_MS);
  await retention.gc({ dryRun: false });
  expect([...(await store.runs.fired(task.id, 'after', keys)).keys()]).toEqual(keys);
  await clock.advance(60 * DAY_MS);
  await retention.gc({ dryRun: false });
  expect([...(await store.runs.fired(task.id, 'after', keys)).keys()]).toEqual(['refs/heads/main 1']);
});

test('events that were decided on go after their time, those that wait stay', async () => {
  const { events } = plane.store;
  const happening = { kind: 'run-ended', run: 'ra001', status: 'Succeeded' } as const;
  const [settled, pending] = await events.record(['one', 'two'].map((dedupKey) => ({ dedupKey, origin: 'run' as const, happening })));
  await events.settle([{ id: settled?.id ?? '', decisions: [] }]);
  await clock.advance(29 * DAY_MS);
  expect((await retention.gc({ dryRun: false })).events).toBe(0);
  await clock.advance(2 * DAY_MS);
  expect((await retention.gc({ dryRun: false })).events).toBe(1);
  expect((await events.list({ limit: 10 })).map(({ id }) => id)).toEqual([pending?.id]);
});
