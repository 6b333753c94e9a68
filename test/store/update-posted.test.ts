import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { BaseImageTrigger } from '../../src/model/trigger-definition.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { postUpdate } from '../../src/trigger/image/post-update.ts';
import { taskDefinition } from '../contract/store-values.ts';
import { makeFolder } from './sqlite-parts.ts';

const TRIGGER: BaseImageTrigger = {
  ...{ name: 'base', status: 'Enabled', baseImageTriggerType: 'All', updateTriggerPayloadType: 'Default' },
  ...{ trackIndex: false, tracks: [] },
};

it('what telling an endpoint writes down is what goes with the task', async () => {
  const store = await openSqliteStore({ path: join(await makeFolder(), 'slipway.db') });
  try {
    const made = await store.tasks.create(taskDefinition('app'));
    if (!made.ok) throw new Error('the name was free');
    const record = made.value;
    const posts: unknown[] = [];
    const tell = (): Promise<boolean> =>
      postUpdate(
        { record, stale: [], trigger: TRIGGER },
        {
          event: { id: 'e1', receivedAt: '2030-01-01T00:00:00.000Z' },
          images: [{ registry: 'registry.example', repository: 'base', tag: '1', digest: `sha256:${'a'.repeat(64)}` }],
          signal: new AbortController().signal,
        },
        {
          ...{ settings: store.settings, runs: store.runs },
          secrets: { updateEndpoint: () => Promise.resolve('https://hooks.example.org/') },
          post: (_url, body) => {
            posts.push(body);
            return Promise.resolve();
          },
        },
      );
    expect([await tell(), await tell()]).toEqual([true, false]);
    await store.tasks.delete('app', {});
    expect(await tell()).toBe(true);
    expect(posts).toHaveLength(2);
  } finally {
    await store.close();
  }
});
