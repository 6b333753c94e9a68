import type { LogPage, LogQuery } from '../model/ports/log-store.ts';
import type { LogFile } from './log-file.ts';
import { type LogRecord, RECORD_BYTES, trustedRecord } from './log-record.ts';

const RECORDS_AT_ONCE = 256;
const MOST_PAGE = 4 * 1024 * 1024;

interface Wanted {
  readonly record: LogRecord;
  readonly from: number;
  readonly to: number;
}

/** A page of a log: looks through the index until the limit is full or the end is reached, then reads the bytes. */
export async function readLogPage(file: LogFile, query: LogQuery): Promise<LogPage> {
  const limit = Math.min(MOST_PAGE, Math.max(1, query.limit));
  const start = Math.max(0, query.offset);
  if (start >= file.bytes) return { chunks: [], next: start, end: file.sealed };
  const { wanted, next } = await choose(file, query, start, limit);
  const bytes = await readPieces(file, wanted);
  const chunks = wanted.map(({ record, from }, index) => ({
    step: file.names.nameOf(record.step),
    attempt: record.attempt,
    stream: record.stream,
    bytes: bytes[index] ?? new Uint8Array(),
    position: record.position,
    at: new Date(record.time).toISOString(),
    afterEvent: record.afterEvent,
    offset: from,
    ...(record.kind === 'gap' || record.kind === 'truncated' ? { marker: record.kind } : {}),
  }));
  return { chunks, next, end: file.sealed && next >= file.bytes };
}

async function choose(file: LogFile, query: LogQuery, start: number, limit: number): Promise<{ wanted: Wanted[]; next: number }> {
  const matches = matcher(file, query);
  const wanted: Wanted[] = [];
  let next = start;
  let left = limit;
  for (let number = file.recordBefore(start); number < file.records; ) {
    const block = await file.readRecords(number, RECORDS_AT_ONCE);
    if (block.length === 0) break;
    for (let at = 0; at < block.length; at += RECORD_BYTES, number += 1) {
      const record = trustedRecord(block, at);
      if (record === undefined || record.offset + record.length <= next) continue;
      const from = Math.max(record.offset, start);
      const end = record.offset + record.length;
      if (matches(record)) {
        // A piece is only cut where a page holds nothing else.
        if (end - from > left && wanted.length > 0) return { wanted, next };
        const to = Math.min(end, from + left);
        wanted.push({ record, from, to });
        left -= to - from;
        next = to;
        if (left === 0) return { wanted, next };
      } else {
        next = end;
      }
    }
  }
  return { wanted, next };
}

function matcher(file: LogFile, query: LogQuery): (record: LogRecord) => boolean {
  const since = query.since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(query.since);
  return (record) =>
    record.time >= since &&
    (query.attempt === undefined || record.attempt === query.attempt) &&
    (query.step === undefined || file.names.nameOf(record.step) === query.step);
}

async function readPieces(file: LogFile, wanted: readonly Wanted[]): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for (const { from, to } of wanted) {
    const bytes = file.readData(from, to - from);
    // Most are in memory; a wait for each would cost more than the reading.
    pieces.push(bytes instanceof Promise ? await bytes : bytes);
  }
  return pieces;
}
