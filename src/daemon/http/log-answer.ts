import { setTimeout as sleep } from 'node:timers/promises';
import type { LogLine } from '../../api/run-log-schema.ts';
import type { LogPage, LogStore } from '../../model/ports/log-store.ts';

/** Times the number of readers that take nothing: what they cost. */
const BYTES_AT_ONCE = 64 * 1024;
/** The log store keeps and hands out memory in blocks of this size, so a page within one costs no more than any part of it. */
const BLOCK_BYTES = 256 * 1024;
/** A log that grows faster than this is followed in steps of this length: a step of its own for every piece of it would cost more than the bytes. */
const STEP_MS = 10;

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

type ReadableLogs = Pick<LogStore, 'read' | 'changed' | 'stat'>;

interface Ends {
  /** Aborts when nobody takes the answer any more. */
  readonly reader: AbortSignal;
  /** Aborts when the run has ended: there is nothing to wait for then. */
  readonly over: AbortSignal;
}

/** The chunks from an offset on, cut at `end`; without an end it waits for more until nothing more can come. */
export async function* logChunks(logs: ReadableLogs, wanted: LogWanted, isOver: () => Promise<boolean>, ends: Ends): AsyncGenerator<Chunk> {
  for await (const page of logPages(logs, wanted, isOver, ends, () => BYTES_AT_ONCE)) yield* page;
}

/** The bytes alone, in as few parts as there are: each costs a write to every follower. */
export async function* logBytes(
  logs: ReadableLogs,
  wanted: LogWanted,
  isOver: () => Promise<boolean>,
  ends: Ends,
): AsyncGenerator<Uint8Array> {
  const toEndOfBlock = (offset: number): number => BLOCK_BYTES - (offset % BLOCK_BYTES);
  for await (const page of logPages(logs, wanted, isOver, ends, toEndOfBlock)) yield* joined(page);
}

async function* logPages(
  logs: ReadableLogs,
  wanted: LogWanted,
  isOver: () => Promise<boolean>,
  { reader: signal, over: ended }: Ends,
  mostBytes: (offset: number) => number,
): AsyncGenerator<readonly Chunk[]> {
  const { run, end = Number.POSITIVE_INFINITY, step, attempt, since } = wanted;
  const filter = {
    ...(step === undefined ? {} : { step }),
    ...(attempt === undefined ? {} : { attempt }),
    ...(since === undefined ? {} : { since }),
  };
  const wake = AbortSignal.any([signal, ended]);
  let { offset } = wanted;
  let over = wanted.end !== undefined;
  let wokenAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted && offset < end) {
    const page = await logs.read(run, { offset, limit: Math.min(mostBytes(offset), end - offset), ...filter });
    const chunks = page.chunks.filter((chunk) => chunk.offset < end).map((chunk) => cutAt(chunk, end));
    if (chunks.length > 0) yield chunks;
    const stuck = page.next <= offset;
    offset = Math.max(offset, page.next);
    if (page.end || (over && stuck)) return;
    if (!stuck) continue;
    // A log that is over is read once more: only then nothing is behind what has been read.
    over = await isOver();
    if (over) continue;
    await logs.changed(run, offset, wake);
    const sinceMs = performance.now() - wokenAt;
    if (sinceMs < STEP_MS) await sleep(STEP_MS - sinceMs);
    wokenAt = performance.now();
  }
}

function cutAt(chunk: Chunk, end: number): Chunk {
  return chunk.offset + chunk.bytes.length > end ? { ...chunk, bytes: chunk.bytes.subarray(0, end - chunk.offset) } : chunk;
}

/** Neighbours in memory become one. */
function* joined(chunks: readonly Chunk[]): Generator<Uint8Array> {
  let part: Uint8Array | undefined;
  for (const { bytes } of chunks) {
    if (part !== undefined && part.buffer === bytes.buffer && part.byteOffset + part.length === bytes.byteOffset) {
      part = new Uint8Array(part.buffer, part.byteOffset, part.length + bytes.length);
      continue;
    }
    if (part !== undefined) yield part;
    part = bytes;
  }
  if (part !== undefined) yield part;
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
