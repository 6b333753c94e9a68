import { describe, expect, it } from 'vitest';
import type { GitWatchStore } from '../../src/model/ports/git-watch-store.ts';
import type { StoreUnderTest } from './store.ts';
import { at, newEvent } from './store-trigger-values.ts';

const APP = { key: 'app', url: 'https://git.example/app.git' };
const WEB = { key: 'web', url: 'https://git.example/web.git' };
const MAIN = 'refs/heads/main';
const idOf = (number: number): string => number.toString(16).padStart(40, '0');

type Look = Parameters<GitWatchStore['seen']>[1];

function look(refs: Readonly<Record<string, string | null>>, parts: Partial<Look> = {}): Look {
  return { refs: new Map(Object.entries(refs)), nextCheck: at(300_000), events: [], ...parts };
}

export function describeGitWatch(use: () => StoreUnderTest): void {
  describe('watched repositories', () => {
    describeSync(use);
    describeDue(use);
    describeSeen(use);
  });
}

function describeSync(use: () => StoreUnderTest): void {
  it('are those that are named, new ones due at once; what is known of the others stays', async () => {
    const { store, clock, reopen } = use();
    await store.gitWatch.sync([APP, WEB]);
    expect(await store.gitWatch.list()).toEqual([
      { ...APP, nextCheck: at(), failures: 0 },
      { ...WEB, nextCheck: at(), failures: 0 },
    ]);
    await store.gitWatch.seen('app', look({ [MAIN]: idOf(1) }, { defaultBranch: 'main' }));
    await store.gitWatch.seen('web', look({ [MAIN]: idOf(2) }));
    await clock.advance(1000);
    const moved = { ...APP, url: 'https://git.example/moved.git' };
    await store.gitWatch.sync([moved, { key: 'new', url: 'https://git.example/new.git' }]);
    await reopen();
    const { gitWatch } = use().store;
    expect((await gitWatch.list()).map(({ key }) => key)).toEqual(['app', 'new']);
    const known = { checkedAt: at(), nextCheck: at(300_000), defaultBranch: 'main', failures: 0 };
    expect(await gitWatch.get('app')).toEqual({ ...moved, ...known });
    expect(await gitWatch.get('web')).toBeUndefined();
    expect(await gitWatch.refs('app')).toEqual(new Map([[MAIN, idOf(1)]]));
    await gitWatch.sync([WEB]);
    expect(await gitWatch.get('web')).toEqual({ ...WEB, nextCheck: at(1000), failures: 0 });
    expect(await gitWatch.refs('web')).toEqual(new Map());
    expect(await gitWatch.hadRef('web', MAIN, idOf(2))).toBe(false);
  });

  it('are changed one by one, whatever else is watched', async () => {
    const { gitWatch } = use().store;
    const { clock } = use();
    await gitWatch.sync([APP, WEB]);
    await gitWatch.seen('app', look({ [MAIN]: idOf(1) }));
    await clock.advance(1000);
    const moved = { ...APP, url: 'https://git.example/moved.git' };
    await gitWatch.change({ watch: [moved, { key: 'new', url: 'https://git.example/new.git' }], unwatch: ['web', 'nobody'] });
    expect(await gitWatch.get('app')).toEqual({ ...moved, checkedAt: at(), nextCheck: at(300_000), failures: 0 });
    expect((await gitWatch.list()).map(({ key, nextCheck }) => [key, nextCheck])).toEqual([
      ['app', at(300_000)],
      ['new', at(1000)],
    ]);
    await gitWatch.change({ watch: [], unwatch: ['app'] });
    await gitWatch.change({ watch: [APP], unwatch: [] });
    expect(await gitWatch.refs('app')).toEqual(new Map());
    expect(await gitWatch.get('app')).toEqual({ ...APP, nextCheck: at(1000), failures: 0 });
  });
}

function describeDue(use: () => StoreUnderTest): void {
  it('are leased to one of those that ask at once, longest due first', async () => {
    const { gitWatch } = use().store;
    const { clock } = use();
    await gitWatch.sync([WEB]);
    await clock.advance(1);
    await gitWatch.sync([WEB, APP]);
    const asked = await Promise.all(Array.from({ length: 5 }, () => gitWatch.due({ limit: 1, leaseMs: 60_000 })));
    expect(asked.flat().map(({ key }) => key)).toEqual(['web', 'app']);
    await clock.advance(59_999);
    expect(await gitWatch.due({ limit: 9, leaseMs: 60_000 })).toEqual([]);
    await clock.advance(1);
    expect(await gitWatch.due({ limit: 9, leaseMs: 60_000 })).toHaveLength(2);
  });

  it('are due again at the time that a look names; a failure is kept and counted until a look succeeds', async () => {
    const { gitWatch } = use().store;
    const { clock } = use();
    await gitWatch.sync([APP]);
    await gitWatch.due({ limit: 9, leaseMs: 60_000 });
    await gitWatch.failed('app', { error: 'no route', nextCheck: at(1000) });
    await gitWatch.failed('app', { error: 'no route to it', nextCheck: at(2000) });
    await gitWatch.failed('nobody', { error: 'no', nextCheck: at(2000) });
    expect(await gitWatch.get('app')).toEqual({ ...APP, nextCheck: at(2000), failures: 2, error: 'no route to it' });
    await clock.advance(1999);
    expect(await gitWatch.due({ limit: 9, leaseMs: 1 })).toEqual([]);
    await clock.advance(1);
    expect(await gitWatch.due({ limit: 9, leaseMs: 60_000 })).toHaveLength(1);
    await gitWatch.seen('app', look({}));
    expect(await gitWatch.get('app')).toEqual({ ...APP, checkedAt: at(2000), nextCheck: at(300_000), failures: 0 });
  });

  it('hurried ones are due now, and those that are being looked at right after', async () => {
    const { gitWatch } = use().store;
    const due = async (): Promise<number> => (await gitWatch.due({ limit: 9, leaseMs: 60_000 })).length;
    await gitWatch.sync([APP]);
    await gitWatch.seen('app', look({}));
    expect(await due()).toBe(0);
    await gitWatch.hurry('app');
    await gitWatch.hurry('nobody');
    expect(await due()).toBe(1);
    await gitWatch.hurry('app');
    expect(await due()).toBe(0);
    await gitWatch.seen('app', look({}));
    expect(await due()).toBe(1);
    await gitWatch.hurry('app');
    await gitWatch.failed('app', { error: 'no', nextCheck: at(300_000) });
    expect(await due()).toBe(1);
    await gitWatch.seen('app', look({}));
    expect(await due()).toBe(0);
  });
}

function describeSeen(use: () => StoreUnderTest): void {
  it('keep what changed with the events that follow, in one change', async () => {
    const { store } = use();
    const { gitWatch, events } = store;
    await gitWatch.sync([APP]);
    await gitWatch.seen('app', look({ [MAIN]: idOf(1), 'refs/tags/v1': idOf(7), 'refs/heads/old': idOf(2) }));
    const changed = look(
      { [MAIN]: idOf(2), 'refs/heads/old': null, 'refs/heads/never': null },
      { events: [newEvent('p1'), newEvent('p2')] },
    );
    expect(await gitWatch.seen('app', changed)).toEqual([
      { id: 'e1', fresh: true },
      { id: 'e2', fresh: true },
    ]);
    expect((await gitWatch.seen('app', changed)).map(({ fresh }) => fresh)).toEqual([false, false]);
    const now = new Map([
      [MAIN, idOf(2)],
      ['refs/tags/v1', idOf(7)],
    ]);
    expect(await gitWatch.refs('app')).toEqual(now);
    expect(await gitWatch.refs('nobody')).toEqual(new Map());
    expect(await gitWatch.seen('nobody', look({ [MAIN]: idOf(1) }, { events: [newEvent('p3')] }))).toEqual([]);
    expect(await events.counts()).toMatchObject({ pending: 2 });
  });

  it('remember the 50 newest ids of each ref, also of one that is gone', async () => {
    const { gitWatch } = use().store;
    await gitWatch.sync([APP]);
    for (let number = 1; number <= 60; number += 1) await gitWatch.seen('app', look({ [MAIN]: idOf(number) }));
    await gitWatch.seen('app', look({ [MAIN]: idOf(60) }));
    const had = (number: number): Promise<boolean> => gitWatch.hadRef('app', MAIN, idOf(number));
    expect(await Promise.all([60, 59, 11, 10, 1, 61].map(had))).toEqual([true, true, true, false, false, false]);
    await gitWatch.seen('app', look({ [MAIN]: null }));
    expect(await gitWatch.refs('app')).toEqual(new Map());
    expect(await had(60)).toBe(true);
    expect(await gitWatch.hadRef('app', 'refs/heads/other', idOf(60))).toBe(false);
    await gitWatch.seen('app', look({ [MAIN]: idOf(61) }));
    expect(await Promise.all([61, 12, 11].map(had))).toEqual([true, true, false]);
  });

  it('forget refs that are gone when there are more than a thousand of later ones', async () => {
    const { gitWatch } = use().store;
    const { clock } = use();
    const branches = (first: number, count: number): readonly string[] =>
      Array.from({ length: count }, (_, index) => `refs/heads/b${first + index}`);
    const all = (names: readonly string[], id: string | null) => Object.fromEntries(names.map((name) => [name, id]));
    await gitWatch.sync([APP]);
    await gitWatch.seen('app', look(all(branches(0, 1001), idOf(1))));
    await gitWatch.seen('app', look(all(branches(0, 1), null)));
    await clock.advance(1);
    await gitWatch.seen('app', look(all(branches(1, 999), null)));
    expect(await gitWatch.hadRef('app', 'refs/heads/b0', idOf(1))).toBe(true);
    await gitWatch.seen('app', look(all(branches(1000, 1), null)));
    expect(await gitWatch.hadRef('app', 'refs/heads/b0', idOf(1))).toBe(false);
    expect(await gitWatch.hadRef('app', 'refs/heads/b1', idOf(1))).toBe(true);
  });
}
