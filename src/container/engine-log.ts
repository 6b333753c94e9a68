import type { EngineDescription } from '../model/ports/container-engine.ts';
import { type EngineApi, isRefusal } from './engine-api.ts';
import { FrameReader } from './output-stream.ts';

type Stream = 'stdout' | 'stderr';

/** Output as the engine keeps it for one container. */
export interface LogPart {
  readonly stream: Stream;
  readonly bytes: Uint8Array;
}

/**
 * How a container's output is kept so that it can be read again byte by byte.
 *
 * - Docker: `local`. `json-file` is not exact: bytes that are no UTF-8 become U+FFFD, and so do characters that a boundary of 16 KiB cuts.
 *   Rotation would take away from the front and shift every position, so the one file may hold 1 GiB (many times what a run's log
 *   keeps) before it starts anew; it goes with the container.
 * - Podman: `k8s-file`, exact and without a limit.
 */
export function durableLogConfig(kind: EngineDescription['kind']): object {
  if (kind === 'podman') return { Type: 'k8s-file' };
  return { Type: 'local', Config: { 'max-size': '1g', 'max-file': '1', compress: 'false' } };
}

/**
 * Reads a container's kept output from its beginning. With `follow` it ends when the container does, sometimes before the last bytes and
 * whenever the connection breaks; without, at the end of what is kept now. A container that is gone has none.
 */
export async function* readEngineLog(
  api: EngineApi,
  container: { readonly id: string; readonly tty: boolean },
  options: { readonly kind: EngineDescription['kind']; readonly follow: boolean; readonly signal: AbortSignal },
): AsyncGenerator<LogPart> {
  const messages = options.kind !== 'podman' && !container.tty;
  const query = { stdout: true, stderr: true, follow: options.follow, ...(messages ? { timestamps: true } : {}) };
  const path = `/containers/${container.id}/logs`;
  const answer = await api.stream({ method: 'GET', path, query, signal: options.signal }).catch((error: unknown) => {
    // 409: it is being removed.
    if (isRefusal(error, 404) || isRefusal(error, 409)) return undefined;
    throw error;
  });
  if (answer === undefined) return;
  const reader = messages ? new MessageReader() : new FrameReader(container.tty);
  for await (const chunk of answer) yield* reader.read(chunk as Buffer);
  if (!options.follow && reader instanceof MessageReader) yield* reader.end();
}

/** `2006-01-02T15:04:05.000000000Z ` before each message. */
const TIMESTAMP = 31;
/** Docker cuts longer lines into messages of this size. */
const WHOLE_PIECE = 16 * 1024;
const HEADER = 8;
const LF = Buffer.from('\n');

interface LineState {
  /** Pieces of a long line have come, the last one has not. */
  open: boolean;
  /** The last piece of a long line has come without the LF behind it. */
  owed: boolean;
}

/**
 * Takes Docker's log stream apart message by message: a frame is one message with its time before it. The `local` driver of Docker
 * 20.10 forgets the LF after a line of more than 16 KiB: the line's last piece, which is always shorter than 16 KiB and may be empty (that is
 * why times are asked for: an empty message without one is not sent), comes without it. It is put back when the next message shows
 * that the line had ended. At the end of the output that cannot be told from a long line without an end; the LF is put back there too.
 */
export class MessageReader {
  readonly #lines: Record<Stream, LineState> = { stdout: { open: false, owed: false }, stderr: { open: false, owed: false } };
  #rest: Buffer = Buffer.alloc(0);

  read(chunk: Buffer): readonly LogPart[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const parts: LogPart[] = [];
    let at = 0;
    while (bytes.length - at >= HEADER) {
      const end = at + HEADER + bytes.readUInt32BE(at + 4);
      if (end > bytes.length) break;
      this.#message(bytes[at] === 2 ? 'stderr' : 'stdout', bytes.subarray(at + HEADER + TIMESTAMP, end), parts);
      at = end;
    }
    this.#rest = bytes.subarray(at);
    return parts;
  }

  /** The container has ended and everything was read. */
  end(): readonly LogPart[] {
    return (['stdout', 'stderr'] as const).filter((stream) => this.#lines[stream].owed).map((stream) => ({ stream, bytes: LF }));
  }

  #message(stream: Stream, text: Buffer, parts: LogPart[]): void {
    const line = this.#lines[stream];
    if (line.owed) parts.push({ stream, bytes: LF });
    line.owed = false;
    if (text.length > 0) parts.push({ stream, bytes: text });
    if (text.at(-1) === LF[0]) line.open = false;
    else if (text.length === WHOLE_PIECE) line.open = true;
    else {
      line.owed = line.open;
      line.open = false;
    }
  }
}
