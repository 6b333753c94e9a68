type Stream = 'stdout' | 'stderr';

/** Looks for texts in output as it passes, across chunks, keeping no more of it than the longest text. */
export class OutputMatch {
  readonly #needles: readonly Buffer[];
  readonly #keep: number;
  readonly #tails: Record<Stream, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  #matched: boolean;

  /** An empty text is in any output. */
  constructor(texts: readonly string[]) {
    this.#needles = texts.map((text) => Buffer.from(text));
    this.#keep = Math.max(0, ...this.#needles.map((needle) => needle.length - 1));
    this.#matched = texts.includes('');
  }

  get matched(): boolean {
    return this.#matched;
  }

  push(stream: Stream, chunk: Uint8Array): void {
    if (this.#matched || this.#needles.length === 0) return;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const seam = Buffer.concat([this.#tails[stream], bytes.subarray(0, this.#keep)]);
    this.#matched = this.#needles.some((needle) => seam.includes(needle) || bytes.includes(needle));
    const tail = bytes.length >= this.#keep ? bytes : Buffer.concat([this.#tails[stream], bytes]);
    this.#tails[stream] = Buffer.from(tail.subarray(Math.max(0, tail.length - this.#keep)));
  }
}
