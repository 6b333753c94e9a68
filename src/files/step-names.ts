import type { FileHandle } from 'node:fs/promises';
import { writeAll } from './write-all.ts';

/**
 * The numbered names of a log's steps, in an append-only text: one JSON string a line, the first is number 0. Names are written
 * before the first record that uses them; a torn last line has no record and is cut off.
 */
export class StepNames {
  readonly #handle: FileHandle;
  readonly #names: string[];
  readonly #numbers: Map<string, number>;
  /** How many are in the file, and their bytes. */
  #written: number;
  #bytes: number;

  private constructor(handle: FileHandle, names: string[], bytes: number) {
    this.#handle = handle;
    this.#names = names;
    this.#numbers = new Map(names.map((name, number) => [name, number]));
    this.#written = names.length;
    this.#bytes = bytes;
  }

  static async open(handle: FileHandle): Promise<StepNames> {
    const text = await handle.readFile('utf8');
    const { names, bytes } = parse(text);
    if (bytes < Buffer.byteLength(text)) await handle.truncate(bytes);
    return new StepNames(handle, names, bytes);
  }

  get count(): number {
    return this.#names.length;
  }

  nameOf(number: number): string {
    return this.#names[number] ?? '';
  }

  /** The number of a name, given out at its first use. */
  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#names.length);
    return this.#names.push(name) - 1;
  }

  /** Writes the names given out since the last call that succeeded. */
  async write(): Promise<void> {
    const fresh = this.#names.slice(this.#written);
    if (fresh.length === 0) return;
    const text = Buffer.from(fresh.map((name) => `${JSON.stringify(name)}\n`).join(''));
    await writeAll(this.#handle, [text], this.#bytes);
    this.#written += fresh.length;
    this.#bytes += text.length;
  }
}

function parse(text: string): { readonly names: string[]; readonly bytes: number } {
  const names: string[] = [];
  let end = 0;
  for (let newline = text.indexOf('\n'); newline !== -1; newline = text.indexOf('\n', end)) {
    const name = parseName(text.slice(end, newline));
    if (name === undefined) break;
    names.push(name);
    end = newline + 1;
  }
  return { names, bytes: Buffer.byteLength(text.slice(0, end)) };
}

function parseName(line: string): string | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
