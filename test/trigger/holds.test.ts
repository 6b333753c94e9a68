import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Store } from '../../src/model/ports/store.ts';
import { createHolds, type Holds } from '../../src/trigger/holds.ts';
import { runRequest } from '../contract/store-values.ts';
import { createFakeClock, type FakeClock } from '../fakes/fake-clock.ts';
import { type Folder, makeFolder, openPlane, type Plane } from '../service/runs/control-plane.ts';
import { waitFor } from '../support/wait-for.ts';

let folder: Folder;
let clock: FakeClock;
let plane: Plane;
let holds: Holds;
let problems: string[];
/** Called when every held run is read, before the answer is there. */
let reading: () => Promise<void>;
beforeEach(async () => {
  folder = await makeFolder();
  clock = createFakeClock();
  plane = await openPlane(folder, { clock });
  problems = [];
  reading = async () => undefined;
  const { store } = plane;
  const runs: Store['runs'] = {
    ...store.runs,
    held: async () => {
      const held = await store.runs.held();
      await reading();
      return held;
    },
  };
  holds = createHolds({
    ...{ store: { ...store, runs }, clock },
    runs: {
      fire: async ({ hold }) => ({ created: true, run: await store.runs.create({ request: runRequest(), ...(hold && { hold }) }) }),
      join: (id, joining) => store.runs.join(id, joining),
      hold: (id, hold) => store.runs.hold(id, hold),
      cancel: () => Promise.reject(new Error('nothing is canceled')),
    },
    onProblem: (what, error) => void problems.push(`${what}: ${String(error)}`),
  });
  await holds.start();
});
afterEach(async () => {
  await holds.close();
  await plane.stop();
  await folder.remove();
  expect(problems).toEqual([]);
});

async function fire(seconds: number): Promise<string> {
  const until = new Date(clock.now().getTime() + seconds * 1000).toISOString();
  const order = { hold: { because: 'waits', until } } as Parameters<Holds['runs']['fire']>[0];
  const fired = await holds.runs.fire(order);
  return fired?.created === true ? fired.run.id : '';
}
const isHeld = async (run: string): Promise<boolean> => (await plane.get(run)).hold !== undefined;

it('lets a run go on when its time is over', async () => {
  const run = await fire(20);
  await clock.advance(19_999);
  expect(await isHeld(run)).toBe(true);
  await clock.advance(1);
  await waitFor(async () => ((await isHeld(run)) ? undefined : true));
});

it('lets a run go on in time also when the wall clock is set back', async () => {
  const run = await fire(20);
  const now = clock.now.bind(clock);
  Object.assign(clock, { now: () => new Date(now().getTime() - 3_600_000) });
  // Every half minute all are looked at.
  await clock.advance(30_000);
  await waitFor(async () => ((await isHeld(run)) ? undefined : true));
});

it('lets a run go on in time that was made while all others were looked at', async () => {
  let made = '';
  reading = async () => {
    reading = async () => undefined;
    made = await fire(5);
  };
  // Every half minute they all are.
  await clock.advance(30_000);
  await waitFor(async () => (made === '' ? undefined : true));
  await clock.advance(5000);
  await waitFor(async () => ((await isHeld(made)) ? undefined : true));
});
