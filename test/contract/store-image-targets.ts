import { describe, expect, it } from 'vitest';
import type { ImageTarget, ImageWatchStore } from '../../src/model/ports/image-watch-store.ts';
import type { StoreUnderTest } from './store.ts';
import { at, digestOf, imageTag, newEvent } from './store-trigger-values.ts';

const HOUR = 3_600_000;
type Look = Parameters<ImageWatchStore['looked']>[0][number];

function target(key: string, parts: Partial<ImageTarget> = {}): ImageTarget {
  const image = imageTag('library/node', '20', 'docker.io');
  return { key, image, credential: 'default', pattern: '', poll: { least: 600, most: 3600 }, platforms: ['linux/amd64'], ...parts };
}

function look(key: string, letter: string, parts: Partial<Look> = {}): Look {
  return {
    ...{ key, indexDigest: digestOf(letter), digests: { 'linux/amd64': digestOf(letter) }, newestTag: '' },
    ...{ nextCheck: at(HOUR), events: [], ...parts },
  };
}

export function describeImageTargets(use: () => StoreUnderTest): void {
  describe('targets of image looks', () => {
    describeTargetSync(use);
    describeLooks(use);
  });
}

function describeTargetSync(use: () => StoreUnderTest): void {
  it('are those that are named; what is known of those that stay is kept', async () => {
    const { store, clock, reopen } = use();
    const fresh = { indexDigest: '', digests: {}, newestTag: '', nextCheck: at(), status: 'new', failures: 0 };
    const pattern = target('p', { pattern: 'semver:~1.2', image: imageTag('library/go', '', 'docker.io') });
    await store.imageWatch.sync([target('a'), pattern]);
    expect(await store.imageWatch.targets({})).toEqual([
      { ...pattern, ...fresh },
      { ...target('a'), ...fresh },
    ]);
    await store.imageWatch.looked([look('a', 'a'), look('p', 'b', { newestTag: '1.2.9' })]);
    await clock.advance(1000);
    await store.imageWatch.sync([target('a'), target('b', { credential: 'task app' })]);
    await reopen();
    const { imageWatch } = use().store;
    const seen = { indexDigest: digestOf('a'), digests: { 'linux/amd64': digestOf('a') }, newestTag: '', status: 'ok', failures: 0 };
    expect(await imageWatch.targets({ key: 'a' })).toEqual([{ ...target('a'), ...seen, checkedAt: at(), nextCheck: at(HOUR) }]);
    expect(await imageWatch.targets({ image: { tag: '20' } })).toMatchObject([{ key: 'a' }, { key: 'b', nextCheck: at(1000) }]);
    expect(await imageWatch.targets({ image: imageTag('library/node', '20', 'quay.io') })).toEqual([]);
    expect(await imageWatch.targets({ key: 'p' })).toEqual([]);
  });

  it('are changed one by one, whatever else is followed', async () => {
    const { imageWatch } = use().store;
    await imageWatch.sync([target('a'), target('b')]);
    await imageWatch.looked([look('a', 'a'), look('b', 'b')]);
    const wider = target('a', { platforms: ['linux/amd64', 'linux/arm64'] });
    await imageWatch.change({ follow: [wider, target('c')], unfollow: ['b', 'nobody'] });
    expect(await imageWatch.targets({})).toMatchObject([
      { key: 'a', platforms: ['linux/amd64', 'linux/arm64'], indexDigest: digestOf('a'), nextCheck: at() },
      { key: 'c', status: 'new' },
    ]);
    await imageWatch.change({ follow: [target('b')], unfollow: ['a'] });
    expect((await imageWatch.targets({})).map(({ key, indexDigest }) => [key, indexDigest])).toEqual([
      ['b', ''],
      ['c', ''],
    ]);
  });

  it('are looked at sooner for a shorter interval, and at once for a platform that is new', async () => {
    const { imageWatch } = use().store;
    const next = async (): Promise<string | undefined> => (await imageWatch.targets({ key: 'a' }))[0]?.nextCheck;
    await imageWatch.sync([target('a')]);
    await imageWatch.looked([look('a', 'a')]);
    await imageWatch.sync([target('a', { poll: { least: 7200, most: 9000 } })]);
    expect(await next()).toBe(at(HOUR));
    await imageWatch.sync([target('a', { poll: { least: 60, most: 120 } })]);
    expect(await next()).toBe(at(120_000));
    await imageWatch.sync([target('a', { platforms: [] })]);
    expect(await next()).toBe(at(120_000));
    await imageWatch.sync([target('a', { platforms: ['linux/arm64', 'linux/amd64'] })]);
    expect(await next()).toBe(at());
    expect(await imageWatch.targets({ key: 'a' })).toMatchObject([
      { platforms: ['linux/amd64', 'linux/arm64'], indexDigest: digestOf('a') },
    ]);
  });
}

function describeLooks(use: () => StoreUnderTest): void {
  it('are leased to one, longest due first, until something is stored of them', async () => {
    const { imageWatch } = use().store;
    const { clock } = use();
    await imageWatch.sync([target('b')]);
    await clock.advance(1);
    await imageWatch.sync([target('a'), target('b')]);
    const asked = await Promise.all(Array.from({ length: 4 }, () => imageWatch.due({ limit: 1, leaseMs: 60_000 })));
    expect(asked.flat().map(({ key }) => key)).toEqual(['b', 'a']);
    await imageWatch.looked([look('a', 'a', { nextCheck: at(1000) })]);
    await clock.advance(999);
    expect((await imageWatch.due({ limit: 9, leaseMs: 60_000 })).map(({ key }) => key)).toEqual(['a']);
    await clock.advance(59_001);
    expect((await imageWatch.due({ limit: 9, leaseMs: 60_000 })).map(({ key }) => key)).toEqual(['b']);
  });

  it('store what they found with one answer for each event, in order', async () => {
    const { imageWatch, events } = use().store;
    await imageWatch.sync([target('a'), target('b')]);
    const looks = [
      look('a', 'b', { events: [newEvent('image:a:b'), newEvent('twice')] }),
      look('gone', 'b', { events: [newEvent('image:gone:b')] }),
      look('b', 'b', { events: [newEvent('twice')] }),
    ];
    expect(await imageWatch.looked(looks)).toEqual([
      { id: 'e1', fresh: true },
      { id: 'e2', fresh: true },
      { id: 'e3', fresh: true },
      { id: 'e2', fresh: false },
    ]);
    const again = await Promise.all(Array.from({ length: 5 }, () => imageWatch.looked(looks)));
    expect(again.flat().some(({ fresh }) => fresh)).toBe(false);
    expect(await events.counts()).toMatchObject({ pending: 3 });
    expect(await imageWatch.targets({})).toHaveLength(2);
  });

  it('that failed keep what was found before', async () => {
    const { imageWatch } = use().store;
    const { clock } = use();
    await imageWatch.sync([target('a')]);
    await imageWatch.looked([look('a', 'a')]);
    await clock.advance(HOUR);
    await imageWatch.due({ limit: 9, leaseMs: 60_000 });
    const failure = { status: 'unreachable', error: 'no route', nextCheck: at(HOUR + 1000) } as const;
    await imageWatch.failed('a', failure);
    await imageWatch.failed('a', { ...failure, status: 'missing' });
    await imageWatch.failed('nobody', failure);
    const [state] = await imageWatch.targets({ key: 'a' });
    expect(state).toMatchObject({ status: 'missing', error: 'no route', failures: 2, checkedAt: at(HOUR), indexDigest: digestOf('a') });
    expect(await imageWatch.due({ limit: 9, leaseMs: 60_000 })).toEqual([]);
    await clock.advance(1000);
    expect(await imageWatch.due({ limit: 9, leaseMs: 60_000 })).toHaveLength(1);
    await imageWatch.looked([look('a', 'a')]);
    const [found] = await imageWatch.targets({ key: 'a' });
    expect(found).toMatchObject({ status: 'ok', failures: 0 });
    expect(found).not.toHaveProperty('error');
  });
}
