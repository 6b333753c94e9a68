import { expect, it } from 'vitest';
import { Presence } from '../../../src/trigger/timer/presence.ts';

const START = Date.UTC(2030, 0, 1);

function begin() {
  let [wallMs, monotonicMs] = [START, 7000];
  const presence = new Presence({ now: () => new Date(wallMs), monotonicMs: () => monotonicMs });
  const pass = (ms: number, wall = ms): void => {
    wallMs += wall;
    monotonicMs += ms;
  };
  const sinceMs = (): number => presence.look().since.getTime() - START;
  expect(sinceMs()).toBe(0);
  return { presence, pass, sinceMs };
}

it('work that takes long, and small corrections of the clock, are no absence', () => {
  const { pass, sinceMs } = begin();
  pass(600_000);
  expect(sinceMs()).toBe(0);
  pass(1000, 3000);
  expect(sinceMs()).toBe(0);
});

it('a machine that slept, or a clock that was set forward, is one', () => {
  const { pass, sinceMs } = begin();
  pass(1000, 30_000);
  expect(sinceMs()).toBe(30_000);
  pass(1000);
  expect(sinceMs()).toBe(30_000);
});

it('a clock that was set back makes nothing missed that it shows again', () => {
  const { pass, sinceMs } = begin();
  pass(1000, 30_000);
  pass(1000, -20_000);
  expect(sinceMs()).toBe(10_000);
});

it('a store that takes nothing is one after a minute', () => {
  const { presence, pass, sinceMs } = begin();
  presence.failed();
  pass(30_000);
  expect(sinceMs()).toBe(0);
  presence.worked();
  pass(60_000);
  presence.failed();
  pass(30_000);
  presence.failed();
  pass(31_000);
  expect(sinceMs()).toBe(151_000);
  presence.worked();
  pass(600_000);
  expect(sinceMs()).toBe(151_000);
});
