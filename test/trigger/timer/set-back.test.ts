import { expect, it } from 'vitest';
import { Presence } from '../../../src/trigger/timer/presence.ts';

it('a wall clock that is set back is seen once, by how much, and small corrections are none', () => {
  let wallMs = Date.UTC(2030, 0, 1);
  let monotonicMs = 0;
  const presence = new Presence({ now: () => new Date(wallMs), monotonicMs: () => monotonicMs });
  const pass = (ms: number, jumpMs = 0): number => {
    monotonicMs += ms;
    wallMs += ms + jumpMs;
    return presence.look().setBackMs;
  };
  expect(pass(1000)).toBe(0);
  expect(pass(30_000, -3_600_000)).toBe(3_600_000);
  expect(pass(30_000)).toBe(0);
  expect(pass(1000, -2000)).toBe(0);
  expect(pass(1000, 3_600_000)).toBe(0);
});
