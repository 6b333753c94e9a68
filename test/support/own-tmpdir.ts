import { mkdtempSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** Gives this test file a temporary directory of its own, removed at its end, so that it can tell what was left there. */
export function useOwnTmpdir(): { entries(prefix: string): Promise<readonly string[]> } {
  const before = process.env['TMPDIR'];
  const own = mkdtempSync(join(tmpdir(), 'slipway-test-'));
  process.env['TMPDIR'] = own;
  afterAll(async () => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    await rm(own, { recursive: true, force: true });
  });
  return { entries: async (prefix) => (await readdir(own)).filter((name) => name.startsWith(prefix)) };
}
