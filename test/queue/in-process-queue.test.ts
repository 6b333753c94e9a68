import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentDescription } from '../../src/model/ports/agent-channel.ts';
import type { RunQueue } from '../../src/model/ports/run-queue.ts';
import type { Store } from '../../src/model/ports/store.ts';
import type { RunRecord, RunRequest } from '../../src/model/run-record.ts';
import { createInProcessQueue } from '../../src/queue/in-process-queue.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { systemClock } from '../../src/util/clock.ts';
import { outcome, runRequest } from '../contract/store-values.ts';
import { createFakeClock, type FakeClock, settled } from '../fakes/fake-clock.ts';
import { waitFor } from '../support/wait-for.ts';

let folder: string;
let store: Store;
let clock: FakeClock;
let queue: RunQueue;
const limits = { maxRunning: 1000, pools: {} };
const signal = new AbortController().signal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-queue-'));
  clock = createFakeClock();
  store = await openSqliteStore({ path: join(folder, 'slipway.db'), clock });
  queue = createInProcessQueue({ store, clock, limits });
});
afterEach(async () => {
  await queue.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

function agent(id: string, slots = 100): AgentDescription {
  return { id, bootId: '1', pool: 'default', version: '1', slots, platform: { os: 'linux', architecture: 'amd64' }, labels: {} };
}

async function add(parts: Partial<RunRequest> = {}): Promise<RunRecord> {
  const record = await store.runs.create({ request: runRequest({ task: 'app', ...parts }) });
  queue.notify(record);
  return record;
}

async function end(id: string): Promise<void> {
  await store.runs.finish(id, undefined, outcome('Succeeded'));
  const record = await store.runs.get(id);
  if (record !== undefined) queue.notify(record);
}

const claimNow = (from = agent('one')) => queue.claim(from, { waitMs: 0, signal });

test('many that claim at once never pass a limit, and no run is handed out twice', async () => {
  const concurrency = { group: 'g', limit: 3, onConflict: 'queue' as const };
  await Promise.all(Array.from({ length: 50 }, () => add({ concurrency })));
  const taken = await Promise.all(Array.from({ length: 40 }, (_, index) => claimNow(agent(`agent${index % 4}`))));
  const ids = taken.flatMap((record) => (record === undefined ? [] : [record.id]));
  expect(ids.length).toBe(3);
  expect(new Set(ids).size).toBe(3);
  expect((await store.runs.counts()).Started).toBe(3);
  await end(ids[0] ?? '');
  expect((await Promise.all([claimNow(), claimNow()])).filter((record) => record !== undefined).length).toBe(1);
});

test('a claim that waits is woken by a new run, an end, a resume, and leaves at its time or when it is aborted', async () => {
  const wait = (waitMs = 60_000, until = signal) => queue.claim(agent('one', 1), { waitMs, signal: until });
  const first = wait();
  await settled();
  const { id } = await add();
  expect((await first)?.id).toBe(id);
  const second = wait();
  const next = await add();
  await settled();
  await end(id);
  expect((await second)?.id).toBe(next.id);
  await end(next.id);
  await queue.pause('upgrade');
  const third = wait();
  const last = await add();
  await settled();
  expect(await queue.waiting()).toMatchObject([{ run: last.id, reason: 'paused', because: 'the queue is paused: upgrade' }]);
  await queue.resume();
  expect((await third)?.id).toBe(last.id);
  const aborted = new AbortController();
  const [fourth, fifth] = [wait(5000), wait(60_000, aborted.signal)];
  await clock.sleeping(2);
  await clock.advance(5000);
  expect(await fourth).toBeUndefined();
  aborted.abort();
  expect(await fifth).toBeUndefined();
  expect(clock.remaining()).toEqual([]);
});

test('a pause and the live runs hold over a restart', async () => {
  const [active, waits] = [await add(), await add({ maxParallelRuns: 1 })];
  expect((await claimNow())?.id).toBe(active.id);
  await queue.pause('upgrade');
  queue = createInProcessQueue({ store, clock, limits });
  expect(await queue.state()).toMatchObject({ paused: true, reason: 'upgrade', since: expect.any(String), queued: 1, running: 1 });
  await queue.resume();
  expect(await claimNow()).toBeUndefined();
  await end(active.id);
  expect((await claimNow())?.id).toBe(waits.id);
});

test('a run that ended or was taken behind its back costs one look at the store, and the next run is taken', async () => {
  const [gone, next] = [await add(), await add()];
  expect(await queue.queued({ task: 'app' })).toBe(2);
  await store.runs.requestCancel(gone.id, { by: 'me', reason: 'r' });
  expect((await claimNow())?.id).toBe(next.id);
  expect(await queue.state()).toMatchObject({ queued: 0, running: 1 });
});

test('messages that overtake one another do not bring back what is over', async () => {
  const record = await add();
  const claimed = await claimNow();
  queue.notify(record);
  expect(await queue.state()).toMatchObject({ queued: 0, running: 1 });
  await store.runs.release(record.id, 1);
  const released = await store.runs.get(record.id);
  if (released === undefined || claimed === undefined) throw new Error('the run is gone');
  queue.notify(released);
  queue.notify(claimed);
  expect(await queue.state()).toMatchObject({ queued: 1, running: 0 });
});

test('a waiting run hears that its agent is not there, and later that it is busy', async () => {
  const { id } = await add();
  expect(await queue.waiting()).toMatchObject([{ run: id, position: 1, reason: 'no-agent', queuedMs: 0 }]);
  await claimNow(agent('one', 1));
  await add();
  expect(await queue.waiting()).toMatchObject([{ reason: 'agent-busy' }]);
});

test('the order of a long queue is not worked out for each who asks, and is soon up to date', async () => {
  const long = createInProcessQueue({ store, clock: systemClock, limits });
  const records = await Promise.all(Array.from({ length: 5000 }, () => store.runs.create({ request: runRequest({ task: 'app' }) })));
  for (const record of records) long.notify(record);
  const [first, second] = [await long.waiting(), await long.waiting()];
  expect(second).toBe(first);
  expect(first.length).toBe(5000);
  const late = await store.runs.create({ request: runRequest({ task: 'app' }) });
  long.notify(late);
  await waitFor(async () => (await long.waiting()).find(({ run }) => run === late.id));
  await long.close();
});
