import type { LogChunk } from '../model/ports/log-store.ts';
import type { LogRecord, RecordKind } from './log-record.ts';
import type { StepNames } from './step-names.ts';

/** Pieces of one stream that follow each other become one record up to this size: many short lines cost one record. */
const MOST_MERGED = 64 * 1024;

export interface LogPiece extends Pick<LogChunk, 'step' | 'attempt' | 'stream' | 'bytes' | 'position' | 'afterEvent'> {
  readonly kind: RecordKind;
  /** Milliseconds since 1970. */
  readonly time: number;
}

interface Merged {
  readonly first: LogPiece;
  length: number;
  position: number;
}

/** What the next write puts into a log, in order. */
export class LogBatch {
  readonly #merged: Merged[] = [];
  readonly #data: Uint8Array[] = [];
  readonly #drops = new Map<string, LogPiece>();
  bytes = 0;

  /** Nothing has to be written soon; positions of dropped output may wait. */
  get empty(): boolean {
    return this.#merged.length === 0;
  }

  get drops(): readonly LogPiece[] {
    return [...this.#drops.values()];
  }

  add(piece: LogPiece): void {
    const last = this.#merged.at(-1);
    if (last !== undefined && continues(last, piece)) {
      last.length += piece.bytes.length;
      last.position = Math.max(last.position, piece.position);
    } else {
      this.#merged.push({ first: piece, length: piece.bytes.length, position: piece.position });
    }
    if (piece.bytes.length > 0) this.#data.push(piece.bytes);
    this.bytes += piece.bytes.length;
  }

  /** The log's own words before everything else. */
  putFirst(pieces: readonly LogPiece[]): void {
    this.#merged.unshift(...pieces.map((first) => ({ first, length: first.bytes.length, position: first.position })));
    this.#data.unshift(...pieces.map((piece) => piece.bytes));
    for (const piece of pieces) this.bytes += piece.bytes.length;
  }

  /** Output that is dropped: of each stream only the last position counts. */
  drop(piece: LogPiece): void {
    this.#drops.set(`${piece.attempt}/${piece.stream}/${piece.step}`, piece);
  }

  /** Steps and attempts that have output here. */
  sources(): readonly LogPiece[] {
    return this.#merged.map((merged) => merged.first).filter((piece) => piece.kind === 'output' || piece.kind === 'gap');
  }

  data(): readonly Uint8Array[] {
    return this.#data;
  }

  /** The records, the first of which starts at `offset`; `dropped` is the number of bytes dropped so far. */
  records(names: StepNames, offset: number, dropped: number): LogRecord[] {
    let at = offset;
    const dropPieces = this.drops.map((first) => ({ first, length: 0, position: first.position }));
    return [...this.#merged, ...dropPieces].map(({ first, length, position }) => {
      const { attempt, stream, kind, time, afterEvent } = first;
      const record = { offset: at, length, step: names.numberOf(first.step), attempt, stream, kind, time, position, afterEvent, dropped };
      at += length;
      return record;
    });
  }
}

function continues(last: Merged, piece: LogPiece): boolean {
  const { first } = last;
  return (
    piece.kind === 'output' &&
    first.kind === 'output' &&
    first.step === piece.step &&
    first.attempt === piece.attempt &&
    first.stream === piece.stream &&
    first.afterEvent === piece.afterEvent &&
    last.length + piece.bytes.length <= MOST_MERGED
  );
}
