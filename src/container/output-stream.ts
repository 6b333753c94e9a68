import type { Socket } from 'node:net';
import { systemClock } from '../util/clock.ts';

type Deliver = (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void | Promise<void>;

const HEADER_SIZE = 8;

/**
 * Takes the engine's attach stream apart: frames of an 8-byte header (stream number, three zeros, length) and payload.
 * With a terminal there are no frames and everything is stdout. Frames of one stream that arrived together are
 * delivered together.
 */
export class FrameReader {
  readonly #tty: boolean;
  readonly #header = Buffer.alloc(HEADER_SIZE);
  #headerFilled = 0;
  #left = 0;
  #stream: 'stdout' | 'stderr' = 'stdout';

  constructor(tty: boolean) {
    this.#tty = tty;
  }

  /** The payload in a chunk of the connection, in order. */
  read(chunk: Buffer): readonly { readonly stream: 'stdout' | 'stderr'; readonly bytes: Uint8Array }[] {
    if (this.#tty) return [{ stream: 'stdout', bytes: chunk }];
    const parts: { stream: 'stdout' | 'stderr'; pieces: Buffer[] }[] = [];
    for (let at = 0; at < chunk.length; ) {
      if (this.#left === 0) {
        at += this.#readHeader(chunk, at);
        continue;
      }
      const piece = chunk.subarray(at, at + this.#left);
      at += piece.length;
      this.#left -= piece.length;
      const last = parts.at(-1);
      if (last?.stream === this.#stream) last.pieces.push(piece);
      else parts.push({ stream: this.#stream, pieces: [piece] });
    }
    return parts.map(({ stream, pieces }) => ({
      stream,
      bytes: pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces),
    }));
  }

  #readHeader(chunk: Buffer, at: number): number {
    const taken = chunk.copy(this.#header, this.#headerFilled, at, at + HEADER_SIZE - this.#headerFilled);
    this.#headerFilled += taken;
    if (this.#headerFilled === HEADER_SIZE) {
      this.#headerFilled = 0;
      this.#stream = this.#header[0] === 2 ? 'stderr' : 'stdout';
      this.#left = this.#header.readUInt32BE(4);
    }
    return taken;
  }
}

/** Output on its way from a container to `deliver`. */
export interface OutputPump {
  /** Resolves when the engine has closed the stream; rejects only with what `deliver` threw. */
  readonly done: Promise<void>;
  /** True until the stream has ended. */
  isOpen(): boolean;
  /** After the container's end: waits for the rest, but not for a stream that the engine forgot to close. */
  drain(): Promise<void>;
  stop(): void;
}

const SILENCE_AFTER_EXIT_MS = 3000;

/** Reads on only when `deliver` has taken what came before, so a slow consumer slows the container down. */
export function pumpOutput(socket: Socket, tty: boolean, deliver: Deliver): OutputPump {
  const frames = new FrameReader(tty);
  let open = true;
  let delivering = false;
  let activity = systemClock.monotonicMs();
  const ended = new AbortController();

  const pump = async (): Promise<void> => {
    for await (const chunk of ignoreConnectionLoss(socket)) {
      delivering = true;
      for (const { stream, bytes } of frames.read(chunk)) await deliver(stream, bytes);
      delivering = false;
      activity = systemClock.monotonicMs();
    }
  };
  const done = pump().finally(() => {
    open = false;
    ended.abort();
    socket.destroy();
  });
  done.catch(() => undefined);

  const drain = async (): Promise<void> => {
    activity = systemClock.monotonicMs();
    while (open) {
      await systemClock.sleep(SILENCE_AFTER_EXIT_MS / 10, ended.signal);
      if (!delivering && systemClock.monotonicMs() - activity > SILENCE_AFTER_EXIT_MS) socket.destroy();
    }
    await done;
  };
  return { done, isOpen: () => open, drain, stop: () => socket.destroy() };
}

/** A broken connection ends the output; whether the container ended too is for `wait` to say. */
async function* ignoreConnectionLoss(socket: Socket): AsyncGenerator<Buffer> {
  const chunks = socket.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]();
  for (;;) {
    const next = await chunks.next().catch(() => undefined);
    if (next === undefined || next.done === true) return;
    yield next.value as Buffer;
  }
}
