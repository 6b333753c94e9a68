/**
 * One block of a bzip2 stream: Huffman-coded, move-to-front, Burrows-Wheeler, run lengths. Written here because a block has to
 * be given out in pieces: 45 bytes of input may stand for 46 MB.
 */

/** More bits are needed than are there yet. */
export class InputEnded extends Error {}

/** Reads bits from the highest of each byte on. Throws InputEnded. */
export class BitReader {
  readonly #bytes: Uint8Array;
  /** In bits. */
  position: number;

  constructor(bytes: Uint8Array, position: number) {
    this.#bytes = bytes;
    this.position = position;
  }

  /** 1 to 24 bits, which stay unread. */
  peek(count: number): number {
    const bytes = this.#bytes;
    const at = this.position >>> 3;
    if (this.position + count > bytes.length * 8) throw new InputEnded('the data ends too early');
    // A byte beyond the end is undefined, which counts as 0 here.
    const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
    const window = (high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) << (this.position & 7);
    return window >>> (32 - count);
  }

  read(count: number): number {
    const value = this.peek(count);
    this.position += count;
    return value;
  }

  read32(): number {
    return ((this.read(16) << 16) | this.read(16)) >>> 0;
  }

  alignToByte(): void {
    this.position = Math.ceil(this.position / 8) * 8;
  }
}

/** A block before its last two steps: `links[i]` is a byte, and above it the place of the next one. */
export interface Block {
  readonly crc: number;
  readonly links: Uint32Array;
  readonly length: number;
  readonly origin: number;
}

const LONGEST_CODE = 20;
const SYMBOLS_PER_TABLE = 50;

/** Reads a block after its magic number; it holds at most `capacity` bytes. Throws InputEnded, and Error for damaged data. */
export function readBlock(bits: BitReader, capacity: number): Block {
  const crc = bits.read32();
  if (bits.read(1) === 1) throw damaged('it is of an obsolete kind');
  const origin = bits.read(24);
  const bytes = readBytesInUse(bits);
  const tableCount = bits.read(3);
  if (tableCount < 2 || tableCount > 6) throw damaged('it has no valid number of tables');
  const selectors = readSelectors(bits, tableCount);
  const tables = Array.from({ length: tableCount }, () => readTable(bits, bytes.length + 2));
  const links = new Uint32Array(capacity);
  const length = readSymbols(bits, { selectors, tables, bytes }, links);
  if (origin >= length) throw damaged('it starts beyond its end');
  linkBytes(links, length);
  return { crc, links, length, origin };
}

function readBytesInUse(bits: BitReader): Uint8Array {
  const groups = bits.read(16);
  const bytes: number[] = [];
  for (let group = 0; group < 16; group += 1) {
    const members = ((groups >>> (15 - group)) & 1) === 1 ? bits.read(16) : 0;
    for (let member = 0; member < 16; member += 1) if (((members >>> (15 - member)) & 1) === 1) bytes.push(group * 16 + member);
  }
  if (bytes.length === 0) throw damaged('it uses no bytes');
  return Uint8Array.from(bytes);
}

/** Which table decodes each group of symbols. */
function readSelectors(bits: BitReader, tableCount: number): Uint8Array {
  const count = bits.read(15);
  if (count === 0) throw damaged('it has no selectors');
  const recent = Uint8Array.from({ length: tableCount }, (_, index) => index);
  const selectors = new Uint8Array(count);
  for (let index = 0; index < count; index += 1) {
    let place = 0;
    while (bits.read(1) === 1) {
      place += 1;
      if (place >= tableCount) throw damaged('it selects a table that is not there');
    }
    selectors[index] = moveToFront(recent, place);
  }
  return selectors;
}

function moveToFront(list: Uint8Array, place: number): number {
  const value = list[place] as number;
  list.copyWithin(1, 0, place);
  list[0] = value;
  return value;
}

/** A canonical Huffman code: the codes of one length are neighbours. */
interface CodeTable {
  readonly shortest: number;
  /** The first code that is longer, as a number of LONGEST_CODE bits, by length. */
  readonly limit: Int32Array;
  /** What to take from a code of each length to get the place of its symbol. */
  readonly base: Int32Array;
  readonly symbols: Uint16Array;
}

function readTable(bits: BitReader, symbolCount: number): CodeTable {
  const lengths = new Uint8Array(symbolCount);
  let length = bits.read(5);
  for (let symbol = 0; symbol < symbolCount; symbol += 1) {
    for (;;) {
      if (length < 1 || length > LONGEST_CODE) throw damaged('a code is too long');
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return buildTable(lengths);
}

function buildTable(lengths: Uint8Array): CodeTable {
  const limit = new Int32Array(LONGEST_CODE + 1);
  const base = new Int32Array(LONGEST_CODE + 1);
  const symbols = new Uint16Array(lengths.length);
  let placed = 0;
  let code = 0;
  for (let length = 1; length <= LONGEST_CODE; length += 1) {
    const first = placed;
    for (let symbol = 0; symbol < lengths.length; symbol += 1) {
      if (lengths[symbol] !== length) continue;
      symbols[placed] = symbol;
      placed += 1;
    }
    base[length] = code - first;
    code += placed - first;
    if (code > 2 ** length) throw damaged('a table has more codes than fit');
    limit[length] = code << (LONGEST_CODE - length);
    code <<= 1;
  }
  return { shortest: Math.min(...lengths), limit, base, symbols };
}

function readSymbol(bits: BitReader, { shortest, limit, base, symbols }: CodeTable): number {
  const window = bits.peek(LONGEST_CODE);
  let length = shortest;
  while (length <= LONGEST_CODE && window >= (limit[length] as number)) length += 1;
  if (length > LONGEST_CODE) throw damaged('a code means nothing');
  bits.position += length;
  return symbols[(window >>> (LONGEST_CODE - length)) - (base[length] as number)] as number;
}

interface Coding {
  readonly selectors: Uint8Array;
  readonly tables: readonly CodeTable[];
  readonly bytes: Uint8Array;
}

/** Fills `out` with the block's bytes, sorted as the transform left them. Returns how many there are. */
function readSymbols(bits: BitReader, { selectors, tables, bytes }: Coding, out: Uint32Array): number {
  const recent = bytes.slice();
  const end = bytes.length + 1;
  let length = 0;
  let run = 0;
  let place = 1;
  let table: CodeTable | undefined;
  for (let read = 0; ; read += 1) {
    if (read % SYMBOLS_PER_TABLE === 0) table = tables[selectors[read / SYMBOLS_PER_TABLE] ?? tables.length];
    if (table === undefined) throw damaged('it has too few selectors');
    const symbol = readSymbol(bits, table);
    // Symbols 0 and 1 are the digits 1 and 2 of how often the latest byte comes again, lowest first.
    if (symbol <= 1) {
      run += place * (symbol + 1);
      place *= 2;
      if (length + run > out.length) throw damaged('it is too long');
      continue;
    }
    if (run > 0) out.fill(recent[0] as number, length, length + run);
    length += run;
    run = 0;
    place = 1;
    if (symbol === end) return length;
    if (length >= out.length) throw damaged('it is too long');
    out[length] = moveToFront(recent, symbol - 1);
    length += 1;
  }
}

/** Undoes the transform: sorts the bytes' places by their values, which links each byte to the one after it. */
function linkBytes(links: Uint32Array, length: number): void {
  const next = new Uint32Array(256);
  for (let index = 0; index < length; index += 1) {
    const byte = (links[index] as number) & 0xff;
    next[byte] = (next[byte] as number) + 1;
  }
  let sum = 0;
  for (let byte = 0; byte < 256; byte += 1) {
    const count = next[byte] as number;
    next[byte] = sum;
    sum += count;
  }
  for (let index = 0; index < length; index += 1) {
    const byte = (links[index] as number) & 0xff;
    const target = next[byte] as number;
    links[target] = (links[target] as number) | (index << 8);
    next[byte] = target + 1;
  }
}

export function damaged(reason: string): Error {
  return new Error(`a bzip2 block is damaged: ${reason}`);
}
