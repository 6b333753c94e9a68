import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { UploadStore } from '../../src/model/ports/upload-store.ts';
import type { FakeClock } from '../fakes/fake-clock.ts';

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function* inPieces(bytes: Uint8Array, size = 10_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function contentOf(store: UploadStore, sha256: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of await store.open(sha256)) parts.push(part);
  return Buffer.concat(parts);
}

/** What every UploadStore keeps (model/ports/upload-store.ts in words). */
export function uploadStoreContract(name: string, subject: () => { readonly store: UploadStore; readonly clock: FakeClock }): void {
  describe(`upload store contract: ${name}`, () => {
    const limits = { maxBytes: 1_000_000, signal: new AbortController().signal };

    it('keeps exactly the bytes sent under their hash', async () => {
      const { store } = subject();
      const bytes = randomBytes(123_456);
      const sha256 = sha256Of(bytes);
      expect(await store.has(sha256)).toBe(false);
      expect(await store.put(sha256, inPieces(bytes), limits)).toEqual({ bytes: bytes.length });
      expect(await store.has(sha256)).toBe(true);
      expect(Buffer.compare(await contentOf(store, sha256), bytes)).toBe(0);
      expect(await store.size()).toBe(bytes.length);
    });

    it('takes an empty one, and the same one twice', async () => {
      const { store } = subject();
      const sha256 = sha256Of(Buffer.alloc(0));
      expect(await store.put(sha256, inPieces(Buffer.alloc(0)), limits)).toEqual({ bytes: 0 });
      expect(await store.put(sha256, inPieces(Buffer.alloc(0)), limits)).toEqual({ bytes: 0 });
      expect((await contentOf(store, sha256)).length).toBe(0);
    });

    it('keeps nothing of another hash, of too many bytes, of a broken or an aborted sending', async () => {
      const { store } = subject();
      const bytes = randomBytes(50_000);
      const sha256 = sha256Of(bytes);
      await expect(store.put(sha256Of(randomBytes(1)), inPieces(bytes), limits)).rejects.toMatchObject({ code: 'context-rejected' });
      await expect(store.put(sha256, inPieces(bytes), { ...limits, maxBytes: 49_999 })).rejects.toMatchObject({
        code: 'context-rejected',
        message: expect.stringContaining('49999'),
      });
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(0, 10);
        throw new Error('the client went away');
      }
      await expect(store.put(sha256, broken(), limits)).rejects.toThrow('the client went away');
      const leaving = new AbortController();
      async function* slow(): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(0, 10);
        leaving.abort();
        yield bytes.subarray(10);
      }
      await expect(store.put(sha256, slow(), { ...limits, signal: leaving.signal })).rejects.toThrow();
      expect(await store.has(sha256)).toBe(false);
      expect(await store.size()).toBe(0);
    });

    it('lets several send the same at once', async () => {
      const { store } = subject();
      const bytes = randomBytes(200_000);
      const sha256 = sha256Of(bytes);
      const sent = await Promise.all([1000, 7000, 50_000, 200_000].map((size) => store.put(sha256, inPieces(bytes, size), limits)));
      expect(sent).toEqual(sent.map(() => ({ bytes: bytes.length })));
      expect(Buffer.compare(await contentOf(store, sha256), bytes)).toBe(0);
      expect(await store.size()).toBe(bytes.length);
    });

    it('says that one is not here', async () => {
      const { store } = subject();
      await expect(store.open('0'.repeat(64))).rejects.toMatchObject({ code: 'context-failed' });
    });

    it.each(['', '../../etc/passwd', 'A'.repeat(64), `${'0'.repeat(64)}/..`, '0'.repeat(63)])('refuses %j as a hash', async (sha256) => {
      const { store } = subject();
      for (const attempt of [store.has(sha256), store.open(sha256), store.put(sha256, inPieces(Buffer.alloc(1)), limits)]) {
        await expect(attempt).rejects.toMatchObject({ code: 'context-rejected' });
      }
    });

    it('removes what was not used for long, and not what is kept by name', async () => {
      const { store, clock } = subject();
      const all = [randomBytes(10), randomBytes(20), randomBytes(30), randomBytes(40)];
      const [old, kept, used, asked] = all.map(sha256Of) as [string, string, string, string];
      for (const bytes of all) await store.put(sha256Of(bytes), inPieces(bytes), limits);
      await clock.advance(60_000);
      const before = clock.now().toISOString();
      await contentOf(store, used);
      await store.has(asked);
      await clock.advance(60_000);
      expect(await store.prune({ before, keep: new Set([kept]) })).toEqual({ files: 1, bytes: 10 });
      expect([await store.has(old), await store.has(kept), await store.has(used), await store.has(asked)]).toEqual([
        false,
        true,
        true,
        true,
      ]);
      expect(await store.size()).toBe(90);
    });
  });
}
