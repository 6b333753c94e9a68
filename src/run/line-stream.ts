import type { MaskStream } from '../util/masker.ts';

/** A longer line is delivered in parts, so that memory stays bounded whatever a program prints. Bytes. */
export const LONGEST_LINE = 1024 * 1024;
/** Chunks are worked on in slices of this size: no line within one slice can be too long. */
const SLICE = 256 * 1024;
const LF = 10;

/** Complete lines without the last LF, or with `partial` a part of one line. */
export interface Lines {
  readonly text: string;
  readonly partial: boolean;
}

/**
 * Bytes of one stream in, masked lines out. Lines are not looked at one by one: everything up to a chunk's last LF is one text.
 * UTF-8 sequences never contain an LF, so whole lines decode on their own; invalid bytes become U+FFFD.
 */
export class LineStream {
  readonly #mask: MaskStream;
  /** The line that has begun, in pieces without LF. */
  #begun: Buffer[] = [];
  #begunLength = 0;
  /** The last that was delivered is the beginning of a line. */
  #open = false;

  constructor(mask: MaskStream) {
    this.#mask = mask;
  }

  /** Something of an unfinished line is waiting that is certainly no part of a secret. */
  get hasPartial(): boolean {
    return this.#begunLength > 0;
  }

  push(chunk: Uint8Array): Lines[] {
    const lines: Lines[] = [];
    for (let start = 0; start < chunk.length; start += SLICE) this.#take(this.#mask.push(chunk.subarray(start, start + SLICE)), lines);
    return lines;
  }

  /** What has begun of a line, as far as it is whole characters. */
  flushPartial(): Lines[] {
    const begun = this.#joinBegun();
    const end = lastWholeCharacter(begun);
    if (end === 0) {
      this.#begin(begun);
      return [];
    }
    this.#begin(begun.subarray(end));
    this.#open = true;
    return [{ text: begun.toString('utf8', 0, end), partial: true }];
  }

  /** The end of the stream: everything that is left, as the last line; a line that was delivered in part is ended in any case. */
  end(): Lines[] {
    const lines: Lines[] = [];
    this.#take(this.#mask.flush(), lines);
    if (this.hasPartial || this.#open) lines.push({ text: this.#joinBegun().toString(), partial: false });
    this.#open = false;
    return lines;
  }

  #take(masked: Uint8Array, lines: Lines[]): void {
    const bytes = Buffer.from(masked.buffer, masked.byteOffset, masked.byteLength);
    const last = bytes.lastIndexOf(LF);
    if (last === -1) {
      this.#extend(bytes, lines);
      return;
    }
    this.#open = false;
    if (this.hasPartial) {
      const first = bytes.indexOf(LF);
      this.#extend(bytes.subarray(0, first), lines);
      const begun = this.#joinBegun();
      lines.push({ text: Buffer.concat([begun, bytes.subarray(first, last)]).toString(), partial: false });
    } else lines.push({ text: bytes.toString('utf8', 0, last), partial: false });
    this.#extend(bytes.subarray(last + 1), lines);
  }

  /** Adds bytes without LF to the begun line, delivering a part of it each time it grows too long. */
  #extend(bytes: Buffer, lines: Lines[]): void {
    this.#begin(bytes);
    if (this.#begunLength > LONGEST_LINE) lines.push(...this.flushPartial());
  }

  #begin(bytes: Buffer): void {
    if (bytes.length === 0) return;
    // A copy: a short rest of a line must not keep a large chunk alive.
    this.#begun.push(Buffer.from(bytes));
    this.#begunLength += bytes.length;
  }

  #joinBegun(): Buffer {
    const [only] = this.#begun;
    const joined = this.#begun.length === 1 && only !== undefined ? only : Buffer.concat(this.#begun);
    this.#begun = [];
    this.#begunLength = 0;
    return joined;
  }
}

/** Length of the bytes without a UTF-8 sequence that is cut at the end. */
function lastWholeCharacter(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] as number;
    if (byte < 0x80) return bytes.length;
    if (byte < 0xc0) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return needed > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
