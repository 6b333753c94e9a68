import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { createFileLogStore } from '../../src/files/file-log-store.ts';
import { systemClock } from '../../src/util/clock.ts';
import { logStoreContract } from '../contract/log-store.ts';
import { useOwnTmpdir } from '../support/own-tmpdir.ts';

useOwnTmpdir();
describe('file log store', () => {
  logStoreContract('files', () => {
    const directory = mkdtempSync(join(tmpdir(), 'logs-'));
    return { open: (options) => createFileLogStore({ directory, clock: systemClock, ...options }) };
  });
});
