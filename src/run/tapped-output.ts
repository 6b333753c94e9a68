import type { Masker, MaskStream } from '../util/masker.ts';
import type { OutputTap } from './run-options.ts';
import type { StepOutput } from './step-output.ts';

type Stream = 'stdout' | 'stderr';
export type Positions = Readonly<Record<Stream, number>>;

export const FROM_THE_START: Positions = { stdout: 0, stderr: 0 };

export interface TappedOutputParts {
  readonly step: string;
  readonly attempt: number;
  readonly masker: Masker;
  readonly tap: OutputTap;
  /** Raw bytes of each stream that an earlier attempt of the run has delivered. */
  readonly delivered: Positions;
  /** The raw byte that the first `write` of each stream begins with; at most `delivered`. */
  readonly from: Positions;
}

/**
 * Where to read again what was delivered up to `delivered`: so far before that the masker knows what it was in the middle of.
 */
export function readFrom(delivered: Positions, masker: Masker): Positions {
  return { stdout: Math.max(0, delivered.stdout - masker.reach), stderr: Math.max(0, delivered.stderr - masker.reach) };
}

/** Bytes in, masked bytes out, at once: what the masker holds back may be the start of a secret, nothing else is kept waiting. */
export function createTappedOutput(parts: TappedOutputParts): StepOutput {
  const streams = { stdout: new TappedStream(parts, 'stdout'), stderr: new TappedStream(parts, 'stderr') };
  return {
    write: (stream, chunk) => streams[stream].write(chunk),
    close: async () => {
      await streams.stdout.end();
      await streams.stderr.end();
    },
  };
}

class TappedStream {
  readonly #parts: TappedOutputParts;
  readonly #stream: Stream;
  readonly #before: Uint8Array[] = [];
  #mask: MaskStream | undefined;
  /** Raw bytes so far. */
  #at: number;

  constructor(parts: TappedOutputParts, stream: Stream) {
    this.#parts = parts;
    this.#stream = stream;
    this.#at = parts.from[stream];
  }

  write(chunk: Uint8Array): void | Promise<void> {
    const known = Math.min(chunk.length, Math.max(0, this.#parts.delivered[this.#stream] - this.#at));
    if (known > 0) this.#remember(chunk.subarray(0, known));
    this.#at += chunk.length;
    if (known === chunk.length) return;
    const mask = this.#masking();
    return this.#deliver(mask.push(known === 0 ? chunk : chunk.subarray(known)), mask.held);
  }

  /** The stream has ended: what was held back is no secret. */
  end(): void | Promise<void> {
    return this.#deliver(this.#masking().flush(), 0);
  }

  #deliver(bytes: Uint8Array, held: number): void | Promise<void> {
    if (bytes.length === 0) return;
    const { step, attempt, tap } = this.#parts;
    return tap({ step, attempt, stream: this.#stream, bytes, position: Math.max(this.#at, this.#parts.delivered[this.#stream]) - held });
  }

  #masking(): MaskStream {
    this.#mask ??= this.#parts.masker.stream(this.#before.length === 0 ? undefined : Buffer.concat(this.#before.splice(0)));
    return this.#mask;
  }

  /** The last of what was delivered, as much as the masker looks back. */
  #remember(chunk: Uint8Array): void {
    const { reach } = this.#parts.masker;
    const already = this.#parts.delivered[this.#stream] - this.#at - chunk.length;
    const kept = chunk.subarray(Math.max(0, chunk.length - Math.max(0, reach - already)));
    if (kept.length > 0) this.#before.push(Uint8Array.from(kept));
  }
}
