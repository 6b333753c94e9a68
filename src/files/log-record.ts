import { crc32 } from 'node:zlib';

/** Bytes of one record of an index. */
export const RECORD_BYTES = 48;

/**
 * One piece of a log: bytes of one stream of one attempt of a step, or the log's own words. All numbers are whole and not negative.
 * In the file, little endian: offset (6 bytes), length (4), step (4), attempt (4), stream (1), kind (1), time (8, a double),
 * position (6), afterEvent (4), dropped (6), CRC-32 of all that (4).
 */
export interface LogRecord {
  /** Of the first byte in the data file. */
  readonly offset: number;
  readonly length: number;
  /** Number of the step's name, from 0. */
  readonly step: number;
  readonly attempt: number;
  readonly stream: 'stdout' | 'stderr';
  /** `dropped`: only the position advanced; `sealed`: nothing follows. Neither has bytes. */
  readonly kind: RecordKind;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly position: number;
  readonly afterEvent: number;
  /** Bytes that the log has dropped so far. */
  readonly dropped: number;
}

const KINDS = ['output', 'gap', 'truncated', 'dropped', 'sealed'] as const;
export type RecordKind = (typeof KINDS)[number];

export function writeRecord(record: LogRecord, target: Buffer, at: number): void {
  target.writeUIntLE(record.offset, at, 6);
  target.writeUInt32LE(record.length, at + 6);
  target.writeUInt32LE(record.step, at + 10);
  target.writeUInt32LE(record.attempt, at + 14);
  target.writeUInt8(record.stream === 'stdout' ? 1 : 2, at + 18);
  target.writeUInt8(KINDS.indexOf(record.kind), at + 19);
  target.writeDoubleLE(record.time, at + 20);
  target.writeUIntLE(record.position, at + 28, 6);
  target.writeUInt32LE(record.afterEvent, at + 34);
  target.writeUIntLE(record.dropped, at + 38, 6);
  target.writeUInt32LE(crc32(target.subarray(at, at + RECORD_BYTES - 4)), at + 44);
}

/** The record at a place, or undefined when it is torn or no record. */
export function readRecord(source: Buffer, at: number): LogRecord | undefined {
  if (at + RECORD_BYTES > source.length) return undefined;
  if (source.readUInt32LE(at + 44) !== crc32(source.subarray(at, at + RECORD_BYTES - 4))) return undefined;
  return trustedRecord(source, at);
}

/** The record at a place of an index that has been checked since this process opened it. */
export function trustedRecord(source: Buffer, at: number): LogRecord | undefined {
  const kind = KINDS[source.readUInt8(at + 19)];
  if (kind === undefined) return undefined;
  return {
    offset: source.readUIntLE(at, 6),
    length: source.readUInt32LE(at + 6),
    step: source.readUInt32LE(at + 10),
    attempt: source.readUInt32LE(at + 14),
    stream: source.readUInt8(at + 18) === 1 ? 'stdout' : 'stderr',
    kind,
    time: source.readDoubleLE(at + 20),
    position: source.readUIntLE(at + 28, 6),
    afterEvent: source.readUInt32LE(at + 34),
    dropped: source.readUIntLE(at + 38, 6),
  };
}
