/** The last bytes of an output, for the message of a failure. */
export class LogTail {
  readonly #limit: number;
  #chunks: Uint8Array[] = [];
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length < 2 * this.#limit) return;
    const kept = Buffer.concat(this.#chunks).subarray(-this.#limit);
    this.#chunks = [kept];
    this.#length = kept.length;
  }

  /** At most `count` whole lines. */
  lines(count: number): readonly string[] {
    const bytes = Buffer.concat(this.#chunks);
    const text = bytes.subarray(-this.#limit).toString('utf8');
    const lines = text.split(/\r?\n/);
    if (lines.at(-1) === '') lines.pop();
    // The first line may have lost its beginning to the limit.
    return lines.slice(bytes.length > this.#limit ? 1 : 0).slice(-count);
  }
}
