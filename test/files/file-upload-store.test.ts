import { mkdirSync, mkdtempSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFileUploadStore } from '../../src/files/file-upload-store.ts';
import { inPieces, sha256Of, uploadStoreContract } from '../contract/upload-store.ts';
import { createFakeClock } from '../fakes/fake-clock.ts';
import { useOwnTmpdir } from '../support/own-tmpdir.ts';

useOwnTmpdir();

function fresh() {
  const directory = join(mkdtempSync(join(tmpdir(), 'uploads-')), 'uploads');
  const clock = createFakeClock();
  return { directory, clock, store: createFileUploadStore({ directory, clock }) };
}

describe('file upload store', () => {
  uploadStoreContract('files', fresh);

  it('lets nobody else read', async () => {
    const { directory, store } = fresh();
    const bytes = Buffer.from('x');
    await store.put(sha256Of(bytes), inPieces(bytes), { maxBytes: 1, signal: new AbortController().signal });
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readdirSync(directory).map((name) => statSync(join(directory, name)).mode & 0o777)).toEqual([0o600]);
  });

  it('removes what a crash left half sent when that is old, and leaves the files of others', async () => {
    const { directory, clock, store } = fresh();
    mkdirSync(directory, { recursive: true });
    const half = `${'a'.repeat(64)}.0123.partial`;
    writeFileSync(join(directory, half), 'half');
    writeFileSync(join(directory, 'README'), 'mine');
    const now = clock.now();
    for (const name of [half, 'README']) utimesSync(join(directory, name), now, now);
    await clock.advance(1000);
    expect(await store.prune({ before: clock.now().toISOString(), keep: new Set() })).toEqual({ files: 1, bytes: 4 });
    expect(readdirSync(directory)).toEqual(['README']);
  });
});
