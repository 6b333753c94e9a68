import type { LogLine } from '../../api/run-schema.ts';
import type { LogPage, LogStore } from '../../model/ports/log-store.ts';

/** Times the number of readers that take nothing: what they cost. */
const BYTES_AT_ONCE = 64 * 1024;

export interface LogWanted {
  readonly run: string;
  readonly offset: number;
  /** Where to stop in the merged log; undefined: go on until the log is sealed. */
  readonly end: number | undefined;
  readonly step?: string;
  readonly attempt?: number;
  readonly since?: string;
}

type Chunk = LogPage['chunks'][number];

/**
 * The chunks from an offset on, cut at `end`; without an end it waits for more until nothing more can come. `reader` aborts when nobody takes
 * them any more, `over` when the run has ended: there is nothing to wait for then.
 */
export async function* logChunks(
  logs: Pick<LogStore, 'read' | 'changed' | 'stat'>,
  wanted: LogWanted,
  isOver: () => Promise<boolean>,
  { reader: signal, over: ended }: { readonly reader: AbortSignal; readonly over: AbortSignal },
): AsyncGenerator<Chunk> {
  const { run, end = Number.POSITIVE_INFINITY, step, attempt, since } = wanted;
  const filter = {
    ...(step === undefined ? {} : { step }),
    ...(attempt === undefined ? {} : { attempt }),
    ...(since === undefined ? {} : { since }),
  };
  const wake = AbortSignal.any([signal, ended]);
  let { offset } = wanted;
  let over = wanted.end !== undefined;
  while (!signal.aborted && offset < end) {
    const page = await logs.read(run, { offset, limit: Math.min(BYTES_AT_ONCE, end - offset), ...filter });
    for (const chunk of page.chunks) {
      if (chunk.offset >= end) return;
      yield chunk.offset + chunk.bytes.length > end ? { ...chunk, bytes: chunk.bytes.subarray(0, end - chunk.offset) } : chunk;
      if (signal.aborted) return;
    }
    const stuck = page.next <= offset;
    offset = Math.max(offset, page.next);
    if (page.end || (over && stuck)) return;
    if (!stuck) continue;
    // Asked before it is read once more: a log that was over by then has nothing behind what is read.
    over = await isOver();
    if (!over) await logs.changed(run, offset, wake);
  }
}

/** One line of ndjson: text where the bytes are UTF-8, else base64. */
export function logLine(chunk: Chunk): string {
  const { offset, step, attempt, stream, at, afterEvent, marker, bytes } = chunk;
  const line: LogLine = {
    ...{ offset, next: offset + bytes.length, step, attempt, stream, at, afterEvent },
    ...(marker === undefined ? {} : { marker }),
    ...contentOf(bytes),
  };
  return `${JSON.stringify(line)}\n`;
}

function contentOf(bytes: Uint8Array): Pick<LogLine, 'text' | 'base64'> {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') };
  }
}
