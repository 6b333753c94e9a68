import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { EngineError } from '../../model/engine-error.ts';

const HEADER_BYTES = 100;

/**
 * Throws `store-failed` when a database file is shorter than its header says: a copy that was cut off. SQLite itself would notice only when it
 * comes to a missing page. Nothing is said of a file with a log beside it, whose header may be older than the log (https://sqlite.org/fileformat2.html).
 */
export function checkLength(path: string): void {
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return;
  const header = Buffer.alloc(HEADER_BYTES);
  const file = openSync(path, 'r');
  try {
    if (readSync(file, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) return;
    const { size } = fstatSync(file);
    const expected = expectedBytes(header);
    if (expected <= size) return;
    throw new EngineError('store-failed', `The database ${path} is damaged: it has ${size} bytes of ${expected}.`, {
      help: 'Put back a whole copy of the file; this one was cut off.',
    });
  } finally {
    closeSync(file);
  }
}

/** 0 when the header says nothing that holds. */
function expectedBytes(header: Buffer): number {
  const isDatabase = header.toString('latin1', 0, 16) === 'SQLite format 3\0';
  const isCurrent = header.readUInt32BE(24) === header.readUInt32BE(92);
  const written = header.readUInt16BE(16);
  return isDatabase && isCurrent ? header.readUInt32BE(28) * (written === 1 ? 65_536 : written) : 0;
}
