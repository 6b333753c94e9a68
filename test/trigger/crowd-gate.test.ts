import { expect, it } from 'vitest';
import { CrowdGate } from '../../src/trigger/crowd-gate.ts';

/** Turns of the event loop that are as long as the test says. */
function slowLoop() {
  let nowMs = 0;
  const sleepers: (() => void)[] = [];
  return {
    sleepers,
    clock: { monotonicMs: () => nowMs, sleep: () => new Promise<void>((resolve) => sleepers.push(resolve)) },
    turn: async (ms: number): Promise<void> => {
      nowMs += ms;
      for (const wake of sleepers.splice(0)) wake();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

function wait(gate: CrowdGate, count: number): { through: number } {
  const seen = { through: 0 };
  for (let one = 0; one < count; one += 1) {
    void gate.pass({}).then(() => {
      seen.through += 1;
    });
  }
  return seen;
}

it('lets some through always, with one sleep for all, and by the time that they wait', async () => {
  const { clock, sleepers, turn } = slowLoop();
  let isBusy = true;
  const gate = new CrowdGate({ clock, isBusy: () => isBusy, closing: new AbortController().signal });
  const seen = wait(gate, 500);
  expect(sleepers).toHaveLength(1);
  await turn(120);
  expect(seen.through).toBeGreaterThan(0);
  expect(seen.through).toBeLessThan(17);
  const before = seen.through;
  await turn(5000);
  const overdue = seen.through - before;
  expect(overdue).toBeGreaterThan(0);
  expect(overdue).toBeLessThan(50);
  isBusy = false;
  for (let look = 0; look < 10; look += 1) await turn(25);
  expect(seen.through).toBe(500);
  expect(sleepers).toHaveLength(0);
});

it('lets one who waited go on for a while, then it is the turn of others', async () => {
  const { clock, turn } = slowLoop();
  const gate = new CrowdGate({ clock, isBusy: () => true, closing: new AbortController().signal });
  const mine = {};
  const passed = gate.pass(mine);
  await turn(25);
  await passed;
  for (let again = 0; again < 50; again += 1) await gate.pass(mine);
  const others = wait(gate, 20);
  await turn(25);
  expect(others.through).toBe(2);
  await turn(1000);
  const waits = gate.pass(mine);
  gate.leave(mine);
  expect(others.through).toBeLessThan(20);
  for (let look = 0; look < 20; look += 1) await turn(5000);
  await waits;
});

it('holds up nobody when there is no crowd, or when it closes', async () => {
  const { clock, sleepers, turn } = slowLoop();
  const closing = new AbortController();
  let isBusy = false;
  const gate = new CrowdGate({ clock, isBusy: () => isBusy, closing: closing.signal });
  const seen = wait(gate, 3);
  expect(sleepers).toEqual([]);
  isBusy = true;
  wait(gate, 100);
  closing.abort();
  const last = wait(gate, 1);
  await turn(0);
  expect([seen.through, last.through]).toEqual([3, 1]);
});
