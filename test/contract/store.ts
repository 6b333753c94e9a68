import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/model/ports/store.ts';
import type { FakeClock } from '../fakes/fake-clock.ts';
import { describeEvents } from './store-events.ts';
import { describeFirings } from './store-firings.ts';
import { describeGitWatch } from './store-git-watch.ts';
import { describeHooks } from './store-hooks.ts';
import { describeImageRecords } from './store-image-records.ts';
import { describeImageTargets } from './store-image-targets.ts';
import { describeLedgers } from './store-ledgers.ts';
import { describeRunLists } from './store-run-lists.ts';
import { describeRuns } from './store-runs.ts';
import { describeStatuses } from './store-statuses.ts';
import { describeTimers } from './store-timers.ts';
import { taskDefinition } from './store-values.ts';

/** An empty store of its own for one test, and what ends it. */
export interface StoreUnderTest {
  /** The one that is open now. */
  readonly store: Store;
  readonly clock: FakeClock;
  /** Opens the same state anew, as after a crash: without closing what was open. */
  readonly reopen: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

/** The contract of model/ports/store.ts. Every adapter runs it. */
export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`store contract: ${name}`, () => {
    let current: StoreUnderTest;
    const use = (): StoreUnderTest => current;
    beforeEach(async () => {
      current = await open();
    });
    afterEach(() => current.dispose());

    describeTasks(use);
    describeRuns(use);
    describeRunLists(use);
    describeLedgers(use);
    describeEvents(use);
    describeFirings(use);
    describeGitWatch(use);
    describeHooks(use);
    describeImageRecords(use);
    describeImageTargets(use);
    describeTimers(use);
    describeStatuses(use);

    it('ping resolves while it can write; nothing works after close', async () => {
      const { store } = use();
      await store.ping();
      await store.close();
      await expect(store.ping()).rejects.toMatchObject({ code: 'store-failed' });
      await expect(store.runs.counts()).rejects.toMatchObject({ code: 'store-failed' });
    });

    it('close finishes what was asked for before', async () => {
      const { store } = use();
      const asked = Array.from({ length: 600 }, (_, index) => store.settings.set(`key ${index}`, index));
      await store.close();
      await expect(Promise.all(asked)).resolves.toHaveLength(600);
    });
  });
}

function describeTasks(use: () => StoreUnderTest): void {
  describe('tasks', () => {
    it('are made once, found by name and listed in pages by name', async () => {
      const { tasks } = use().store;
      for (const name of ['b', 'a-1', 'c', 'a.2']) {
        expect(await tasks.create(taskDefinition(name))).toMatchObject({ ok: true, value: { version: 1, definition: { name } } });
      }
      expect(await tasks.create(taskDefinition('b'))).toEqual({ ok: false, because: 'exists' });
      expect(await tasks.get('b')).toMatchObject({ definition: taskDefinition('b'), version: 1 });
      expect(await tasks.get('nobody')).toBeUndefined();
      const first = await tasks.list({ limit: 3 });
      expect(first.map(({ definition }) => definition.name)).toEqual(['a-1', 'a.2', 'b']);
      expect((await tasks.list({ limit: 3, after: 'b' })).map(({ definition }) => definition.name)).toEqual(['c']);
    });

    it('replace asks for the version when it is given, and counts it up', async () => {
      const { store, clock } = use();
      const { tasks } = store;
      const created = await tasks.create(taskDefinition('app'));
      await clock.advance(1000);
      const changed = taskDefinition('app', { timeout: 60 });
      expect(await tasks.replace(changed, { version: 2 })).toEqual({ ok: false, because: 'version' });
      const replaced = await tasks.replace(changed, { version: 1 });
      if (!created.ok || !replaced.ok) throw new Error('the task was not stored');
      expect(replaced.value).toEqual({ ...created.value, definition: changed, version: 2, updatedAt: '2030-01-02T03:04:06.000Z' });
      expect(await tasks.get('app')).toEqual(replaced.value);
      expect(await tasks.replace(taskDefinition('nobody'), {})).toEqual({ ok: false, because: 'missing' });
    });

    it('of many that replace the same version one wins', async () => {
      const { tasks } = use().store;
      await tasks.create(taskDefinition('app'));
      const asked = Array.from({ length: 20 }, (_, index) => tasks.replace(taskDefinition('app', { timeout: index }), { version: 1 }));
      const won = (await Promise.all(asked)).filter(({ ok }) => ok);
      expect(won).toHaveLength(1);
      expect(await tasks.get('app')).toEqual(won[0]?.ok === true ? won[0].value : undefined);
    });

    it('a file owns a task until it lets go', async () => {
      const { tasks } = use().store;
      await tasks.create(taskDefinition('app'), 'tasks.d/app.yaml');
      expect(await tasks.replace(taskDefinition('app'), {})).toMatchObject({ value: { managedBy: 'tasks.d/app.yaml' } });
      expect(await tasks.replace(taskDefinition('app'), { managedBy: 'other.yaml' })).toMatchObject({ value: { managedBy: 'other.yaml' } });
      await tasks.replace(taskDefinition('app'), { managedBy: null });
      expect(await tasks.get('app')).not.toHaveProperty('managedBy');
    });

    it('what was posted for a task goes with it, and what it left over is removed when the store opens', async () => {
      const { store } = use();
      const [app, web] = [await store.tasks.create(taskDefinition('app')), await store.tasks.create(taskDefinition('web'))];
      if (!app.ok || !web.ok) throw new Error('both names were free');
      const keyOf = (id: string): string => `image-update-posted:${id}:registry.example/base:1`;
      const keys = [
        keyOf(app.value.id),
        `${keyOf(app.value.id)}-alpine`,
        keyOf(web.value.id),
        keyOf('gone'),
        'image-update',
        'image-updates',
      ];
      for (const key of keys) await store.settings.set(key, 'sha256:1');
      await store.tasks.delete('app', {});
      const kept = async (): Promise<readonly string[]> => {
        const values = await Promise.all(keys.map((key) => use().store.settings.get(key)));
        return keys.filter((_key, at) => values[at] !== undefined);
      };
      expect(await kept()).toEqual(keys.slice(2));
      await store.settings.set(keyOf(app.value.id), 'sha256:2');
      await use().reopen();
      expect(await kept()).toEqual([keyOf(web.value.id), 'image-update', 'image-updates']);
    });

    it('delete asks for the version; a task made anew is another', async () => {
      const { tasks } = use().store;
      const first = await tasks.create(taskDefinition('app'));
      expect(await tasks.delete('app', { version: 7 })).toEqual({ ok: false, because: 'version' });
      expect(await tasks.delete('app', { version: 1 })).toEqual(first);
      expect(await tasks.delete('app', {})).toEqual({ ok: false, because: 'missing' });
      const second = await tasks.create(taskDefinition('app'));
      if (!first.ok || !second.ok) throw new Error('the task was not stored');
      expect(second.value.id).not.toBe(first.value.id);
      expect(second.value.version).toBe(1);
    });
  });
}
