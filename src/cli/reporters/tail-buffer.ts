const LONGEST_LINE = 2000;

/** The last lines of a long output. Costs per pushed text grow with the kept lines only, not with the text. */
export class TailBuffer {
  readonly #capacity: number;
  #lines: string[] = [];
  #dropped = false;
  #open = false;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** `text` holds whole lines without the last LF; after `partial` the next text goes on with the last line. */
  push(text: string, partial = false): void {
    const begun = this.#open ? this.#lines.pop() : undefined;
    this.#open = partial;
    this.#append(begun === undefined ? text : begun + text);
  }

  #append(text: string): void {
    const fresh: string[] = [];
    let end = text.length;
    while (fresh.length < this.#capacity) {
      const newline = end === 0 ? -1 : text.lastIndexOf('\n', end - 1);
      fresh.push(text.slice(Math.max(newline + 1, end - LONGEST_LINE), end));
      if (newline === -1) break;
      end = newline;
      if (fresh.length === this.#capacity) this.#dropped = true;
    }
    const all = this.#lines.concat(fresh.reverse());
    if (all.length > this.#capacity) this.#dropped = true;
    this.#lines = all.slice(-this.#capacity);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** True when lines before the kept ones were let go. */
  get dropped(): boolean {
    return this.#dropped;
  }

  get lastLine(): string {
    return this.#lines.findLast((line) => line.trim() !== '') ?? '';
  }

  clear(): void {
    this.#lines = [];
    this.#dropped = false;
    this.#open = false;
  }
}
