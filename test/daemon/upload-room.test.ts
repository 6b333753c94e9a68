import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { uploadsWithRoom } from '../../src/daemon/upload-room.ts';
import { createFileUploadStore } from '../../src/files/file-upload-store.ts';
import { systemClock } from '../../src/util/clock.ts';

it('takes no context while the disk is full, also when it fills on the way, and keeps no part of it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-room-'));
  let full: string | undefined = 'the disk is 91 % full';
  const uploads = uploadsWithRoom(createFileUploadStore({ directory, clock: systemClock }), async () => full);
  const piece = Buffer.alloc(16 * 1024 * 1024, 'x');
  const hash = createHash('sha256');
  for (let count = 0; count < 5; count += 1) hash.update(piece);
  const sha256 = hash.digest('hex');
  async function* content(fillsAfter = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
    for (let count = 0; count < 5; count += 1) {
      if (count === fillsAfter) full = 'the disk is 93 % full';
      yield piece;
    }
  }
  const put = (from = content()): Promise<unknown> =>
    uploads.put(sha256, from, { maxBytes: 1024 ** 3, signal: new AbortController().signal });
  try {
    await expect(put()).rejects.toMatchObject({ code: 'disk-full', message: 'the disk is 91 % full' });
    full = undefined;
    await expect(put(content(1))).rejects.toMatchObject({ code: 'disk-full', message: 'the disk is 93 % full' });
    expect(await readdir(directory)).toEqual([]);
    full = undefined;
    await expect(put()).resolves.toEqual({ bytes: 5 * piece.length });
    expect(await uploads.has(sha256)).toBe(true);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
