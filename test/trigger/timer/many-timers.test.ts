import { afterEach, beforeEach, expect, it } from 'vitest';
import { taskDefinition } from '../../contract/store-values.ts';
import { createFakeClock, type FakeClock } from '../../fakes/fake-clock.ts';
import { type Folder, makeFolder, openPlane } from '../../service/runs/control-plane.ts';
import { openRig, type TriggerRig, timer } from '../trigger-rig.ts';

const TIMERS = 10_000;

let folder: Folder;
let clock: FakeClock;
let rig: TriggerRig | undefined;
beforeEach(async () => {
  folder = await makeFolder();
  clock = createFakeClock();
  rig = undefined;
});
afterEach(async () => {
  await rig?.stop();
  await folder.remove();
});

async function defineTasks(count: number): Promise<void> {
  const plane = await openPlane(folder, { clock });
  const trigger = { sourceTriggers: [], afterTriggers: [], timerTriggers: [timer('0 4 * * *')] };
  const names = Array.from({ length: count }, (_, index) => `task${index}`);
  await Promise.all(names.map((name) => plane.store.tasks.create(taskDefinition(name, { trigger }))));
  await plane.stop();
}

async function counts(): Promise<{ readonly runs: number; readonly events: Readonly<Record<string, number>> }> {
  const store = rig?.plane.store;
  if (store === undefined) throw new Error('no rig');
  return { runs: (await store.runs.counts()).Queued, events: await store.events.counts() };
}

it('10,000 timers due in one minute have their runs within 10 s of work', { timeout: 120_000 }, async () => {
  await defineTasks(TIMERS);
  rig = await openRig(folder, { clock });
  await rig.triggers.start();
  // Time of this process, so that what else the machine does counts as little as it can.
  const before = process.cpuUsage();
  await rig.pass(3_600_000);
  const { user, system } = process.cpuUsage(before);
  expect(await counts()).toEqual({ runs: TIMERS, events: { pending: 0, settled: TIMERS, failed: 0 } });
  expect(rig.problems).toEqual([]);
  expect((user + system) / 1e6).toBeLessThan(10);
});

it('killed again and again meanwhile, each has one run', { timeout: 120_000 }, async () => {
  const timers = 1000;
  await defineTasks(timers);
  for (let process = 0; process < 6; process += 1) {
    rig = await openRig(folder, { clock });
    await rig.triggers.start();
    // The first is up to date before the hour; each of the others gets a little further.
    if (process === 0) await clock.advance(3_600_000 - 5000 - 4 * 60_000);
    for (let turn = 0; turn < process * 15; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    // As kill -9: what is under way finds the database closed.
    await rig.plane.store.close();
    await rig.stop().catch(() => undefined);
  }
  rig = await openRig(folder, { clock });
  await rig.triggers.start();
  await rig.pass(0);
  expect(await counts()).toEqual({ runs: timers, events: { pending: 0, settled: timers, failed: 0 } });
  const runs = await rig.plane.store.runs.live();
  expect(new Set(runs.map(({ request }) => request.task)).size).toBe(timers);
  const fired = (
    await Promise.all(['task0', 'task1', `task${timers - 1}`].map((task) => rig?.plane.store.events.decisions({ task, limit: 10 })))
  ).flat();
  expect(fired.map((decision) => decision?.outcome)).toEqual(['run', 'run', 'run']);
});
