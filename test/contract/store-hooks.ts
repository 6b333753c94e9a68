import { describe, expect, it } from 'vitest';
import type { HookRecord } from '../../src/model/ports/hook-store.ts';
import type { StoreUnderTest } from './store.ts';
import { at } from './store-trigger-values.ts';

const GIT = { kind: 'git', forge: 'Github', repositoryUrl: 'https://github.com/me/app' } as const;

function hook(id: string, parts: Partial<HookRecord> = {}): HookRecord {
  return { id, source: GIT, secret: new Uint8Array([1, 2, 3]), createdAt: at(), createdBy: 'token ci', ...parts };
}

/** Stores may give bytes back in a subclass. */
function plain(record: HookRecord | undefined): unknown {
  if (record === undefined) return undefined;
  const { secret, previousSecret, ...rest } = record;
  return { ...rest, secret: [...secret], ...(previousSecret === undefined ? {} : { previousSecret: [...previousSecret] }) };
}

export function describeHooks(use: () => StoreUnderTest): void {
  describe('hooks', () => {
    it('are stored whole, replaced, listed by creation and deleted', async () => {
      const { hooks } = use().store;
      const registry = { kind: 'registry', registryKind: 'harbor', registry: 'registry.example' } as const;
      const late = hook('a', { createdAt: at(1000), source: registry, remoteId: '17' });
      await hooks.put(late);
      await hooks.put(hook('b'));
      expect(plain(await hooks.get('a'))).toEqual(plain(late));
      expect((await hooks.list()).map(plain)).toEqual([plain(hook('b')), plain(late)]);
      const rotated = hook('b', { secret: new Uint8Array([9]), previousSecret: new Uint8Array([1, 2, 3]), previousUntil: at(86_400_000) });
      await hooks.put(rotated);
      expect(plain(await hooks.get('b'))).toEqual(plain(rotated));
      expect([await hooks.delete('b'), await hooks.delete('b'), await hooks.get('b')]).toEqual(['done', 'missing', undefined]);
    });

    it('keep the latest delivery, also against one who read them before it', async () => {
      const { hooks } = use().store;
      await hooks.put(hook('a'));
      const read = await hooks.get('a');
      await hooks.delivered([
        { id: 'a', at: at(2000), result: '2 events' },
        { id: 'nobody', at: at(), result: 'lost' },
      ]);
      await hooks.delivered([{ id: 'a', at: at(1000), result: 'earlier' }]);
      if (read !== undefined) await hooks.put(read);
      expect(await hooks.get('a')).toMatchObject({ lastDelivery: { at: at(2000), result: '2 events' } });
      await hooks.put(hook('a', { lastDelivery: { at: at(3000), result: 'ping' } }));
      expect(await hooks.get('a')).toMatchObject({ lastDelivery: { at: at(3000), result: 'ping' } });
    });

    it('keep the repository that the first delivery pinned, as long as it is the same URL', async () => {
      const { hooks } = use().store;
      const pinned = (repositoryId: string) => hook('a', { source: { ...GIT, repositoryId } });
      await hooks.put(hook('a'));
      await Promise.all(['1', '2', '3'].map((id) => hooks.put(pinned(id))));
      expect(await hooks.get('a')).toMatchObject({ source: { repositoryId: '1' } });
      await hooks.put(hook('a'));
      expect(await hooks.get('a')).toMatchObject({ source: { repositoryId: '1' } });
      await hooks.put(hook('a', { source: { ...GIT, repositoryUrl: 'https://github.com/me/other' } }));
      expect((await hooks.get('a'))?.source).not.toHaveProperty('repositoryId');
    });
  });
}
