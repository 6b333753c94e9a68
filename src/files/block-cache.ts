import type { FileHandle } from 'node:fs/promises';

const BLOCK_BYTES = 256 * 1024;
const MOST_BLOCKS = 64;

interface Block {
  readonly bytes: Buffer;
  /** Bytes from its beginning that have been read. What is read once never changes: the files are only appended to. */
  filled: number;
  filling: Promise<void> | undefined;
}

/**
 * Blocks of append-only files that were read last, shared by all readers: many that follow one log cost one read. What is handed
 * out are views of the blocks, which nobody may write to; a block that has been dropped lives as long as its views.
 */
export class BlockCache {
  readonly #blocks = new Map<string, Block>();
  #files = 0;

  file(handle: FileHandle): CachedFile {
    this.#files += 1;
    const name = this.#files;
    return new CachedFile(handle, (number) => this.#block(`${name}/${number}`));
  }

  #block(key: string): Block {
    let block = this.#blocks.get(key);
    if (block === undefined) block = { bytes: Buffer.allocUnsafeSlow(BLOCK_BYTES), filled: 0, filling: undefined };
    else this.#blocks.delete(key);
    // Last in the map's order: used last.
    this.#blocks.set(key, block);
    for (const oldest of this.#blocks.keys()) {
      if (this.#blocks.size <= MOST_BLOCKS) break;
      this.#blocks.delete(oldest);
    }
    return block;
  }
}

/** One file seen through the cache. */
export class CachedFile {
  readonly #handle: FileHandle;
  readonly #blockOf: (number: number) => Block;

  constructor(handle: FileHandle, blockOf: (number: number) => Block) {
    this.#handle = handle;
    this.#blockOf = blockOf;
  }

  /**
   * The bytes of a range that ends at or before `available`, the length up to which the file will never change. At once when they are
   * in memory. A file that is shorter than it should be gives fewer bytes.
   */
  read(position: number, length: number, available: number): Buffer | Promise<Buffer> {
    const first = Math.floor(position / BLOCK_BYTES);
    const from = position - first * BLOCK_BYTES;
    if (from + length > BLOCK_BYTES) return this.#readAcross(position, length, available);
    const block = this.#blockOf(first);
    if (block.filled >= from + length) return block.bytes.subarray(from, from + length);
    return this.#fill(block, first, from + length, available).then(() => block.bytes.subarray(from, Math.min(block.filled, from + length)));
  }

  async #readAcross(position: number, length: number, available: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let at = position; at < position + length; ) {
      const end = Math.min(position + length, (Math.floor(at / BLOCK_BYTES) + 1) * BLOCK_BYTES);
      parts.push(await this.read(at, end - at, available));
      at = end;
    }
    return Buffer.concat(parts);
  }

  /** Waits for the turn of another reader, which may bring enough, and then takes one of its own, which does unless the file is too short. */
  async #fill(block: Block, number: number, needed: number, available: number): Promise<void> {
    while (block.filling !== undefined) await block.filling;
    if (block.filled >= needed) return;
    block.filling = this.#readMore(block, number, available).finally(() => {
      block.filling = undefined;
    });
    await block.filling;
  }

  async #readMore(block: Block, number: number, available: number): Promise<void> {
    const start = number * BLOCK_BYTES;
    const end = Math.min(BLOCK_BYTES, available - start);
    while (block.filled < end) {
      const { bytesRead } = await this.#handle.read(block.bytes, block.filled, end - block.filled, start + block.filled);
      if (bytesRead === 0) return;
      block.filled += bytesRead;
    }
  }
}
