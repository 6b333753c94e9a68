import type { EngineError } from '../model/engine-error.ts';
import type { Clock } from '../model/ports/clock.ts';
import type { LogChunk, LogWriter } from '../model/ports/log-store.ts';
import { diskError } from './disk-error.ts';
import { LogBatch, type LogPiece } from './log-batch.ts';
import type { LogFile } from './log-file.ts';

/** Unwritten bytes from which the caller is held back. */
const HIGH_WATER = 4 * 1024 * 1024;
const NEWLINE = 10;

export interface LogWriterOptions {
  readonly clock: Clock;
  readonly capBytes: number;
  readonly syncMs: number;
  /** Readers can see more now. */
  onChanged(): void;
  onClosed(): void;
}

interface LostOutput {
  readonly step: string;
  readonly attempt: number;
  readonly because: string;
}

/**
 * The one writer of a log. What is appended within a turn of the event loop, or while a write is under way, goes into the next write.
 * When the disk is full what waits is lost, callers are told, and the gap is marked as soon as something can be written.
 */
export class FileLogWriter implements LogWriter {
  readonly #file: LogFile;
  readonly #options: LogWriterOptions;
  readonly #closing = new AbortController();
  readonly #lost = new Map<string, LostOutput>();
  #batch = new LogBatch();
  /** Length of the log when all that waits has been written. */
  #end: number;
  #dropped: number;
  #truncated: boolean;
  #sealing: Promise<void> | undefined;
  #endsLine: boolean;
  #lastEvent = 0;
  #failure: EngineError | undefined;
  #nextWrite: PromiseWithResolvers<void> | undefined;
  #flushing: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  #unsynced = false;
  #closed: Promise<void> | undefined;

  constructor(file: LogFile, options: LogWriterOptions) {
    this.#file = file;
    this.#options = options;
    this.#end = file.bytes;
    this.#dropped = file.droppedBytes;
    this.#truncated = file.truncated;
    this.#sealing = file.sealed ? Promise.resolve() : undefined;
    this.#endsLine = file.endsLine;
  }

  append(chunk: LogChunk): void | Promise<void> {
    if (this.#sealing !== undefined || this.#closed !== undefined) throw new Error('bug: output for a log that has been sealed or closed');
    this.#lastEvent = Math.max(this.#lastEvent, chunk.afterEvent);
    const time = Date.parse(chunk.at);
    const room = this.#truncated ? 0 : Math.max(0, this.#options.capBytes - this.#end);
    if (this.#truncated || chunk.bytes.length > room) {
      this.#appendBeyondCap(chunk, time, room);
      return undefined;
    }
    this.#push({ ...chunk, time, kind: 'output' });
    this.#flushSoon();
    if (this.#end - this.#file.bytes <= HIGH_WATER && this.#failure === undefined) return undefined;
    this.#nextWrite ??= Promise.withResolvers();
    return this.#nextWrite.promise;
  }

  gap(step: string, attempt: number, because: string): void {
    if (this.#sealing !== undefined || this.#closed !== undefined) return;
    this.#pushMarker('gap', { step, attempt, because: `output is missing here: ${because}` });
    this.#flushSoon();
  }

  flush(): undefined | Promise<void> {
    return this.#flushing;
  }

  seal(): Promise<void> {
    this.#sealing ??= this.#seal();
    return this.#sealing;
  }

  async #seal(): Promise<void> {
    const time = this.#options.clock.now().getTime();
    const nothing = { step: '', attempt: 0, stream: 'stderr', bytes: new Uint8Array(), position: 0, afterEvent: this.#lastEvent } as const;
    this.#batch.add({ ...nothing, time, kind: 'sealed' });
    await this.#flushSoon();
    if (!this.#file.sealed) {
      this.#sealing = undefined;
      throw this.#failure ?? new Error('bug: a log was not sealed');
    }
    await this.#file.sync();
  }

  close(): Promise<void> {
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  async #finish(): Promise<void> {
    this.#closing.abort();
    try {
      await this.#flushSoon();
      await this.#syncing;
      if (this.#lost.size > 0 && this.#failure !== undefined) throw this.#failure;
    } finally {
      this.#options.onClosed();
    }
  }

  /** What fits, the marker once, and then only counting; positions go on, so that after a restart nothing is counted twice. */
  #appendBeyondCap(chunk: LogChunk, time: number, room: number): void {
    const kept = wholeCharacters(chunk.bytes, room);
    this.#dropped += chunk.bytes.length - kept;
    if (kept > 0) this.#push({ ...chunk, bytes: chunk.bytes.subarray(0, kept), time, kind: 'output' });
    if (!this.#truncated) {
      this.#truncated = true;
      const because = `the log ends here: it has reached its limit of ${this.#options.capBytes} bytes`;
      this.#pushMarker('truncated', { step: chunk.step, attempt: chunk.attempt, because });
      this.#flushSoon();
    }
    this.#batch.drop({ ...chunk, bytes: new Uint8Array(), time, kind: 'dropped' });
    this.#syncLater();
  }

  #pushMarker(kind: 'gap' | 'truncated', words: LostOutput): void {
    this.#push(this.#marker(kind, words, this.#endsLine));
  }

  /** The log's own words, on a line of their own. */
  #marker(kind: 'gap' | 'truncated', { step, attempt, because }: LostOutput, endsLine: boolean): LogPiece {
    const bytes = Buffer.from(`${endsLine ? '' : '\n'}[slipway: ${because.replace(/\s+/g, ' ')}]\n`);
    const time = this.#options.clock.now().getTime();
    return { kind, step, attempt, stream: 'stderr', bytes, position: 0, time, afterEvent: this.#lastEvent };
  }

  #push(piece: LogPiece): void {
    if (piece.bytes.length === 0) return;
    this.#batch.add(piece);
    this.#end += piece.bytes.length;
    this.#endsLine = piece.bytes.at(-1) === NEWLINE;
  }

  /** The write that is under way, or one at the end of this turn, so that whatever is appended until then goes into it. */
  #flushSoon(): Promise<void> {
    this.#flushing ??= endOfTurn().then(() => this.#flush());
    return this.#flushing;
  }

  /** Writes until nothing waits. Never rejects. */
  async #flush(): Promise<void> {
    do {
      const batch = this.#take();
      const told = this.#nextWrite;
      this.#nextWrite = undefined;
      try {
        const records = batch.records(this.#file.names, this.#file.bytes, this.#dropped);
        if (records.length > 0) await this.#file.append(records, batch.data());
        this.#unsynced ||= records.length > 0;
        this.#failure = undefined;
        this.#lost.clear();
        told?.resolve();
      } catch (error) {
        this.#failure = diskError('write the log of a run', error);
        this.#lose(batch, this.#failure);
        told?.reject(this.#failure);
      }
      this.#end = this.#file.bytes + this.#batch.bytes;
      this.#options.onChanged();
      if (this.#unsynced || this.#lost.size > 0) this.#syncLater();
    } while (!this.#batch.empty);
    this.#flushing = undefined;
  }

  /** What waits, after markers for what could not be written before. */
  #take(): LogBatch {
    const batch = this.#batch;
    this.#batch = new LogBatch();
    const markers = [...this.#lost.values()].map((lost, index) => {
      const because = `output is missing here: ${lost.because}`;
      return this.#marker('gap', { ...lost, because }, index > 0 || this.#file.endsLine);
    });
    batch.putFirst(markers);
    return batch;
  }

  #lose(batch: LogBatch, failure: EngineError): void {
    for (const { step, attempt } of batch.sources()) {
      const key = `${attempt}/${step}`;
      if (!this.#lost.has(key)) this.#lost.set(key, { step, attempt, because: failure.message });
    }
    for (const piece of batch.drops) this.#batch.drop(piece);
    this.#truncated = this.#file.truncated;
  }

  #syncLater(): void {
    this.#syncing ??= this.#keepSynced();
  }

  async #keepSynced(): Promise<void> {
    const { clock, syncMs } = this.#options;
    do {
      await clock.sleep(syncMs, this.#closing.signal);
      if (this.#lost.size > 0 || this.#batch.drops.length > 0) await this.#flushSoon();
      await this.#sync();
    } while (this.#unsettled && !this.#closing.signal.aborted);
    this.#syncing = undefined;
  }

  get #unsettled(): boolean {
    return this.#unsynced || this.#lost.size > 0 || this.#batch.drops.length > 0;
  }

  async #sync(): Promise<void> {
    if (!this.#unsynced) return;
    this.#unsynced = false;
    try {
      await this.#file.sync();
    } catch (error) {
      this.#failure = diskError('sync the log of a run', error);
    }
  }
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** The largest number of bytes up to `most` that splits no UTF-8 character. */
function wholeCharacters(bytes: Uint8Array, most: number): number {
  if (most >= bytes.length) return bytes.length;
  let end = most;
  while (end > 0 && most - end < 4 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return most - end < 4 ? end : most;
}
