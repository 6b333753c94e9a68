import { EngineError } from '../model/engine-error.ts';
import type { UploadStore } from '../model/ports/upload-store.ts';

/** The disk is looked at again after so many bytes. */
const LOOK_EVERY_BYTES = 64 * 1024 * 1024;

/** Takes contexts only while the disk takes new runs: what is left is for runs to end and be recorded. `put` rejects with `disk-full`. */
export function uploadsWithRoom(uploads: UploadStore, diskRefusal: () => Promise<string | undefined>): UploadStore {
  const checkRoom = async (): Promise<void> => {
    const because = await diskRefusal();
    if (because !== undefined) throw new EngineError('disk-full', because);
  };
  async function* watched(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let unseen = 0;
    for await (const chunk of content) {
      unseen += chunk.length;
      if (unseen >= LOOK_EVERY_BYTES) {
        await checkRoom();
        unseen = 0;
      }
      yield chunk;
    }
  }
  return {
    has: (sha256) => uploads.has(sha256),
    put: async (sha256, content, limits) => {
      await checkRoom();
      return uploads.put(sha256, watched(content), limits);
    },
    open: (sha256) => uploads.open(sha256),
    prune: (options) => uploads.prune(options),
    size: () => uploads.size(),
  };
}
