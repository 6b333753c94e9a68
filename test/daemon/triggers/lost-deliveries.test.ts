import { expect, test } from 'vitest';
import { askForLostDeliveries } from '../../../src/daemon/triggers/lost-deliveries.ts';
import { createFakeClock } from '../../fakes/fake-clock.ts';

const DAY_MS = 86_400_000;

test('what did not arrive is asked for every ten minutes, from the last time on, and for three days at most', async () => {
  const clock = createFakeClock();
  await clock.advance(30 * DAY_MS);
  const kept = new Map<string, unknown>();
  const settings = { get: async (key: string) => kept.get(key), set: async (key: string, value: unknown) => void kept.set(key, value) };
  const asked: number[] = [];
  const problems: string[] = [];
  let broken = false;
  const hooks = {
    redeliver: async (since: string): Promise<number> => {
      if (broken) throw new Error('no store');
      asked.push((clock.now().getTime() - Date.parse(since)) / 60_000);
      return 0;
    },
  };
  const run = (signal: AbortSignal): Promise<void> =>
    askForLostDeliveries({ hooks, settings, clock, onProblem: (what) => void problems.push(what) }, signal);

  const first = new AbortController();
  const running = run(first.signal);
  await clock.advance(20 * 60_000);
  expect(asked).toEqual([0, 10, 10]);
  broken = true;
  await clock.advance(10 * 60_000);
  broken = false;
  await clock.advance(10 * 60_000);
  expect(asked).toEqual([0, 10, 10, 20]);
  expect(problems).toHaveLength(1);
  first.abort();
  await running;

  await clock.advance(10 * DAY_MS);
  const second = new AbortController();
  const again = run(second.signal);
  await clock.advance(0);
  second.abort();
  await again;
  expect(asked.at(-1)).toBe(3 * 24 * 60);
});
