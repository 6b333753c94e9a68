import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import type { LogPosition } from '../model/ports/log-store.ts';
import type { BlockCache, CachedFile } from './block-cache.ts';
import { systemCode } from './disk-error.ts';
import type { LogPaths } from './log-paths.ts';
import { type LogRecord, RECORD_BYTES, readRecord, writeRecord } from './log-record.ts';
import { StepNames } from './step-names.ts';
import { readAll, writeAll } from './write-all.ts';

/** Records between two offsets that are held in memory. */
const BLOCK = 256;
const SCAN_RECORDS = BLOCK * 8;
const NEWLINE = 10;

interface Handles {
  readonly data: FileHandle;
  readonly index: FileHandle;
  readonly steps: FileHandle;
}

/**
 * The open files of one log and what of its index is held in memory: one offset for each 256 records. Opening repairs what a crash
 * left: data and index end where the last whole record ends. `bytes` and `records` count what readers may see: they grow when data
 * and records have been written.
 */
export class LogFile {
  readonly names: StepNames;
  readonly #handles: Handles;
  readonly #cached: { readonly data: CachedFile; readonly index: CachedFile };
  readonly #blocks: number[] = [];
  readonly #positions = new Map<string, LogPosition>();
  #records = 0;
  #bytes = 0;
  #droppedBytes = 0;
  #sealed = false;
  #truncated = false;
  #endsLine = true;

  private constructor(handles: Handles, names: StepNames, cache: BlockCache) {
    this.#handles = handles;
    this.#cached = { data: cache.file(handles.data), index: cache.file(handles.index) };
    this.names = names;
  }

  /** Undefined when there is no log and `create` is false. */
  static async open(paths: LogPaths, options: { readonly create: boolean; readonly cache: BlockCache }): Promise<LogFile | undefined> {
    if (!options.create && !(await exists(paths.index))) return undefined;
    await mkdir(paths.folder, { recursive: true, mode: 0o700 });
    const opened: FileHandle[] = [];
    try {
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
      const openOne = async (path: string): Promise<FileHandle> => {
        const handle = await open(path, flags, 0o600);
        opened.push(handle);
        return handle;
      };
      const handles = { data: await openOne(paths.data), index: await openOne(paths.index), steps: await openOne(paths.steps) };
      const file = new LogFile(handles, await StepNames.open(handles.steps), options.cache);
      await file.#load();
      return file;
    } catch (error) {
      await Promise.allSettled(opened.map((handle) => handle.close()));
      throw error;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }
  get records(): number {
    return this.#records;
  }
  get droppedBytes(): number {
    return this.#droppedBytes;
  }
  get sealed(): boolean {
    return this.#sealed;
  }
  /** The cap was reached and the marker for it is in the log. */
  get truncated(): boolean {
    return this.#truncated;
  }

  /** The last byte is a newline, or there is none. */
  get endsLine(): boolean {
    return this.#endsLine;
  }

  positions(): readonly LogPosition[] {
    return [...this.#positions.values()];
  }

  /** The number of the first record that can reach beyond an offset; a little before it, as only each 256th offset is known. */
  recordBefore(offset: number): number {
    let low = 0;
    let high = this.#blocks.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#blocks[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low * BLOCK;
  }

  /** Up to `count` whole records as they are in the file. */
  readRecords(first: number, count: number): Buffer | Promise<Buffer> {
    const whole = Math.max(0, Math.min(count, this.#records - first));
    return this.#cached.index.read(first * RECORD_BYTES, whole * RECORD_BYTES, this.#records * RECORD_BYTES);
  }

  /** Bytes that readers may see; a view that must not be changed. */
  readData(offset: number, length: number): Buffer | Promise<Buffer> {
    return this.#cached.data.read(offset, length, this.#bytes);
  }

  /** Appends records with their bytes: the data, then the names, then the index, so that a record never stands without what it tells of. */
  async append(records: readonly LogRecord[], data: readonly Uint8Array[]): Promise<void> {
    await writeAll(this.#handles.data, data, this.#bytes);
    await this.names.write();
    const index = Buffer.allocUnsafe(records.length * RECORD_BYTES);
    for (const [number, record] of records.entries()) writeRecord(record, index, number * RECORD_BYTES);
    await writeAll(this.#handles.index, [index], this.#records * RECORD_BYTES);
    for (const record of records) this.#add(record);
    this.#endsLine = (data.at(-1)?.at(-1) ?? (this.#endsLine ? NEWLINE : 0)) === NEWLINE;
  }

  async sync(): Promise<void> {
    await this.#handles.data.datasync();
    await this.#handles.steps.datasync();
    await this.#handles.index.datasync();
  }

  async close(): Promise<void> {
    await Promise.allSettled(Object.values(this.#handles).map((handle: FileHandle) => handle.close()));
  }

  /** Reads the index up to the first record that is torn, out of sequence or without its bytes, and cuts everything off after it. */
  async #load(): Promise<void> {
    const sizes = { data: (await this.#handles.data.stat()).size, index: (await this.#handles.index.stat()).size };
    for (let whole = true; whole; ) {
      const block = await readAll(this.#handles.index, this.#records * RECORD_BYTES, SCAN_RECORDS * RECORD_BYTES);
      whole = block.length === SCAN_RECORDS * RECORD_BYTES;
      for (let at = 0; at < block.length; at += RECORD_BYTES) {
        const record = readRecord(block, at);
        if (record === undefined || !this.#fits(record, sizes.data)) {
          whole = false;
          break;
        }
        this.#add(record);
      }
    }
    this.#endsLine = this.#bytes === 0 || (await readAll(this.#handles.data, this.#bytes - 1, 1))[0] === NEWLINE;
    if (sizes.index !== this.#records * RECORD_BYTES) await this.#handles.index.truncate(this.#records * RECORD_BYTES);
    if (sizes.data !== this.#bytes) await this.#handles.data.truncate(this.#bytes);
  }

  #fits(record: LogRecord, dataSize: number): boolean {
    return (
      record.offset === this.#bytes &&
      record.offset + record.length <= dataSize &&
      (record.kind === 'sealed' || record.step < this.names.count)
    );
  }

  #add(record: LogRecord): void {
    if (this.#records % BLOCK === 0) this.#blocks.push(record.offset);
    this.#records += 1;
    this.#bytes = record.offset + record.length;
    this.#droppedBytes = record.dropped;
    if (record.kind === 'sealed') this.#sealed = true;
    else if (record.kind === 'truncated') this.#truncated = true;
    else if (record.kind !== 'gap') this.#advance(record);
  }

  #advance(record: LogRecord): void {
    const key = `${record.step}/${record.attempt}/${record.stream}`;
    const { attempt, stream, position } = record;
    if (position < (this.#positions.get(key)?.position ?? 0)) return;
    this.#positions.set(key, { step: this.names.nameOf(record.step), attempt, stream, position });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
