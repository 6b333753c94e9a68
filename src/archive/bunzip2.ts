import { BitReader, type Block, damaged, InputEnded, readBlock } from './bzip2-block.ts';

/** Compressed bytes that are enough for every block an honest program writes. */
const USUAL_BLOCK = 1024 * 1024;
/** 20 bits for each of 32,767 × 50 symbols, and the tables: no block is longer. */
const LONGEST_BLOCK = 5 * 1024 * 1024;
const PIECE = 64 * 1024;
const BLOCK_MAGIC = [0x314159, 0x265359] as const;
const END_MAGIC = [0x177245, 0x385090] as const;

/**
 * Unpacks bzip2: one stream, or several one after the other; what follows the last is left out, as bzip2 does. Gives pieces of 64 KiB at
 * most and reads one block ahead, so a reader may stop at any time. Throws Error for damaged data.
 */
export async function* bunzip2(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const input = new Input(source);
  try {
    for (let streams = 0; await input.startsStream(streams === 0); streams += 1) {
      const capacity = 100_000 * (await input.decode(readLevel));
      let combined = 0;
      for (;;) {
        const part = await input.decode((bits) => readPart(bits, capacity));
        if (part.kind === 'end') {
          if (part.crc !== combined) throw damaged('the checksum of the stream is wrong');
          break;
        }
        combined = (((combined << 1) | (combined >>> 31)) ^ part.block.crc) >>> 0;
        yield* expand(part.block);
      }
    }
  } finally {
    await input.close();
  }
}

function readLevel(bits: BitReader): number {
  bits.read(24);
  const level = bits.read(8) - 0x30;
  if (level < 1 || level > 9) throw damaged('the size of its blocks is unknown');
  return level;
}

type Part = { readonly kind: 'block'; readonly block: Block } | { readonly kind: 'end'; readonly crc: number };

function readPart(bits: BitReader, capacity: number): Part {
  const magic = [bits.read(24), bits.read(24)];
  if (magic[0] === BLOCK_MAGIC[0] && magic[1] === BLOCK_MAGIC[1]) return { kind: 'block', block: readBlock(bits, capacity) };
  if (magic[0] !== END_MAGIC[0] || magic[1] !== END_MAGIC[1]) throw damaged('there is no block where one should begin');
  const crc = bits.read32();
  bits.alignToByte();
  return { kind: 'end', crc };
}

/** What is read but not decoded yet. */
class Input {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #bytes: Buffer = Buffer.alloc(0);
  /** Bits of the first byte that are decoded. */
  #offset = 0;
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#iterator = source[Symbol.asyncIterator]();
  }

  async startsStream(first: boolean): Promise<boolean> {
    await this.#fill(3);
    return first || this.#bytes.subarray(0, 3).toString('latin1') === 'BZh';
  }

  /** Decodes a part as soon as enough of it is there; a part longer than usual is tried again with more. */
  async decode<T>(read: (bits: BitReader) => T): Promise<T> {
    for (let wanted = USUAL_BLOCK; ; wanted *= 2) {
      await this.#fill(wanted);
      const bits = new BitReader(this.#bytes, this.#offset);
      try {
        const part = read(bits);
        this.#bytes = this.#bytes.subarray(bits.position >>> 3);
        this.#offset = bits.position & 7;
        return part;
      } catch (error) {
        if (!(error instanceof InputEnded) || this.#ended || wanted > LONGEST_BLOCK) throw error;
      }
    }
  }

  async #fill(wanted: number): Promise<void> {
    const pieces: Uint8Array[] = [this.#bytes];
    let length = this.#bytes.length;
    while (length < wanted && !this.#ended) {
      const { value, done } = await this.#iterator.next();
      if (done === true) this.#ended = true;
      else {
        pieces.push(value);
        length += value.length;
      }
    }
    if (pieces.length > 1) this.#bytes = Buffer.concat(pieces);
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});

/** Four equal bytes are followed by how often the byte comes once more. */
function* expand({ links, length, origin, crc: wanted }: Block): Generator<Uint8Array, void, undefined> {
  let crc = 0xffffffff;
  let piece = Buffer.allocUnsafe(PIECE);
  let filled = 0;
  let place = (links[origin] as number) >>> 8;
  let previous = -1;
  let equal = 0;
  for (let index = 0; index < length; index += 1) {
    const link = links[place] as number;
    place = link >>> 8;
    const byte = link & 0xff;
    const counts = equal === 4;
    equal = counts ? 0 : byte === previous ? equal + 1 : 1;
    const out = counts ? previous : byte;
    for (let copies = counts ? byte : 1; copies > 0; copies -= 1) {
      crc = (crc << 8) ^ (CRC_TABLE[(crc >>> 24) ^ out] as number);
      piece[filled] = out;
      filled += 1;
      if (filled === PIECE) {
        yield piece;
        piece = Buffer.allocUnsafe(PIECE);
        filled = 0;
      }
    }
    previous = counts ? -1 : byte;
  }
  if (filled > 0) yield piece.subarray(0, filled);
  if (~crc >>> 0 !== wanted) throw damaged('its checksum is wrong');
}
