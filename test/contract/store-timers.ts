import { describe, expect, it } from 'vitest';
import type { TimerStore } from '../../src/model/ports/timer-store.ts';
import type { StoreUnderTest } from './store.ts';
import { at, newTask, timerEvent } from './store-trigger-values.ts';

const DAY = 86_400_000;
type Firing = Parameters<TimerStore['fire']>[0][number];

export function describeTimers(use: () => StoreUnderTest): void {
  describe('timers', () => {
    it('are those that the task has now; those whose schedule is the same keep their place', async () => {
      const { store, reopen } = use();
      const task = await newTask(store);
      const owner = { id: task.id, name: 'app' };
      const timer = (name: string, schedule: string, next?: string) => ({
        name,
        schedule,
        ...(next === undefined ? {} : { next, due: next }),
      });
      await store.timers.sync(owner, [timer('b', '0 0 * * *', at(DAY)), timer('a', '0 1 * * *', at(1000)), timer('never', '0 0 30 2 *')]);
      await store.timers.fire([firing(task.id, { name: 'a', from: at(1000), next: at(DAY) })]);
      await store.timers.sync(owner, [
        timer('b', '0 2 * * *', at(2 * DAY)),
        timer('a', '0 1 * * *', at(5)),
        timer('c', '* * * * *', at(1)),
      ]);
      await reopen();
      const { timers } = use().store;
      const row = (name: string, schedule: string, next: string) => ({ taskId: task.id, task: 'app', name, schedule, next, due: next });
      expect(await timers.ofTask(task.id)).toEqual([
        { ...row('a', '0 1 * * *', at(DAY)), last: at(1000) },
        row('b', '0 2 * * *', at(2 * DAY)),
        row('c', '* * * * *', at(1)),
      ]);
      await timers.sync(owner, [timer('a', '0 3 * * *', at(3 * DAY))]);
      expect(await timers.ofTask(task.id)).toEqual([{ ...row('a', '0 3 * * *', at(3 * DAY)), last: at(1000) }]);
      await timers.sync(owner, []);
      expect([await timers.ofTask(task.id), await timers.earliest()]).toEqual([[], undefined]);
    });

    it('a task that is gone has none, whoever comes late', async () => {
      const { store } = use();
      const task = await newTask(store);
      const owner = { id: task.id, name: 'app' };
      const timer = { name: 'nightly', schedule: '0 0 * * *', next: at(DAY) };
      await store.timers.sync(owner, [timer]);
      await store.tasks.delete('app', {});
      expect(await store.timers.ofTask(task.id)).toEqual([]);
      await store.timers.sync(owner, [timer]);
      expect(await store.timers.earliest()).toBeUndefined();
    });

    it('are due by their own time, earliest first', async () => {
      const { store } = use();
      const task = await newTask(store);
      const timer = (name: string, next: number, due: number) => ({ name, schedule: name, next: at(next), due: at(due) });
      const asked = [timer('late', 1000, 4000), timer('soon', 2000, 2500), timer('now', 3000, 3000), { name: 'never', schedule: 'never' }];
      await store.timers.sync({ id: task.id, name: 'app' }, asked);
      const due = async (now: string, limit = 9) => (await store.timers.due({ now, limit })).map(({ name }) => name);
      expect(await store.timers.earliest()).toBe(at(2500));
      expect(await due(at(2499))).toEqual([]);
      expect(await due(at(3000))).toEqual(['soon', 'now']);
      expect(await due('2030-01-02T03:04:09Z', 1)).toEqual(['soon']);
      expect(await due(at(DAY))).toEqual(['soon', 'now', 'late']);
    });

    it('fire an occurrence once, with its events, however many are at it', async () => {
      const { store } = use();
      const task = await newTask(store);
      await store.timers.sync({ id: task.id, name: 'app' }, [{ name: 'nightly', schedule: '0 0 * * *', next: at(), due: at(500) }]);
      const missed = {
        from: at(),
        next: at(3 * DAY),
        due: at(3 * DAY + 500),
        events: [at(), at(DAY), at(2 * DAY)].map((one) => timerEvent(task.id, one)),
      };
      await Promise.all(Array.from({ length: 10 }, () => store.timers.fire([firing(task.id, missed)])));
      expect(await store.events.counts()).toEqual({ pending: 3, settled: 0, failed: 0 });
      expect(await store.timers.ofTask(task.id)).toMatchObject([{ next: at(3 * DAY), due: at(3 * DAY + 500), last: at(2 * DAY) }]);
      const elsewhere = { from: at(DAY), next: at(9 * DAY), events: [timerEvent(task.id, at(7 * DAY))] };
      await store.timers.fire([firing(task.id, elsewhere), firing('nobody', { ...elsewhere, from: at(3 * DAY) })]);
      expect(await store.events.counts()).toMatchObject({ pending: 3 });
      await store.timers.fire([firing(task.id, { from: at(3 * DAY) })]);
      const [over] = await store.timers.ofTask(task.id);
      expect(over).toMatchObject({ last: at(3 * DAY) });
      expect([over?.next, over?.due, await store.timers.earliest()]).toEqual([undefined, undefined, undefined]);
    });
  });
}

function firing(taskId: string, parts: Partial<Firing> = {}): Firing {
  return { taskId, name: 'nightly', from: at(), events: [], ...parts };
}
