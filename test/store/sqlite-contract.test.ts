import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '../../src/model/ports/store.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-store.ts';
import { storeContract } from '../contract/store.ts';
import { createFakeClock } from '../fakes/fake-clock.ts';
import { makeFolder } from './sqlite-parts.ts';

storeContract('SQLite', async () => {
  const folder = await makeFolder();
  const clock = createFakeClock();
  const open = (): Promise<Store> => openSqliteStore({ path: join(folder, 'slipway.db'), clock });
  let store = await open();
  const opened = [store];
  return {
    get store() {
      return store;
    },
    clock,
    reopen: async () => {
      store = await open();
      opened.push(store);
    },
    dispose: async () => {
      for (const each of opened) await each.close();
      await rm(folder, { recursive: true });
    },
  };
});
