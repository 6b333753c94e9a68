import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { storeContract } from '../contract/store.ts';
import { createFakeClock } from '../fakes/fake-clock.ts';
import { makeFolder } from './sqlite-parts.ts';

storeContract('SQLite', async () => {
  const folder = await makeFolder();
  const clock = createFakeClock();
  const store = await openSqliteStore({ path: join(folder, 'slipway.db'), clock });
  return {
    store,
    clock,
    dispose: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});
