import type { Clock } from '../model/ports/clock.ts';
import type { Masker } from '../util/masker.ts';
import type { EventLog } from './event-log.ts';
import { LineStream, type Lines } from './line-stream.ts';
import type { OutputTap } from './run-options.ts';
import { createTappedOutput, FROM_THE_START, type Positions } from './tapped-output.ts';

type Stream = 'stdout' | 'stderr';

/** Small pieces of output wait for the end of the event loop's turn to be sent as one event, up to this many characters. */
const BATCH = 32 * 1024;
/** An unfinished line is shown when nothing followed for this long. */
const IDLE_MS = 200;

/** The output of one attempt on its way to events. */
export interface StepOutput {
  /** A returned promise asks to wait: the taker of events is slower than the step. */
  write(stream: Stream, chunk: Uint8Array): void | Promise<void>;
  /** The output has ended: sends what is left. Nothing may be written afterwards. */
  close(): Promise<void>;
}

export interface StepOutputParts {
  readonly step: string;
  readonly attempt: number;
  readonly masker: Masker;
  readonly clock: Clock;
  readonly emit: EventLog['emit'];
  /** Takes the masked bytes as they are; then there are no events. */
  readonly tap?: OutputTap | undefined;
  /** For a tap: what was delivered before, and where the output is read again. */
  readonly resume?: { readonly delivered: Positions; readonly from: Positions };
}

/** Bytes in, `step-output` events out: masked, in whole lines, many lines an event, the two streams in the order of their lines. */
export function createStepOutput(parts: StepOutputParts): StepOutput {
  const { tap, resume = { delivered: FROM_THE_START, from: FROM_THE_START } } = parts;
  return tap === undefined ? new BatchedOutput(parts) : createTappedOutput({ ...parts, tap, ...resume });
}

class BatchedOutput implements StepOutput {
  readonly #parts: StepOutputParts;
  readonly #streams: Record<Stream, LineStream>;
  #batch: string[] = [];
  #batchSize = 0;
  #batchStream: Stream = 'stdout';
  #turnEnd: NodeJS.Immediate | undefined;
  #taking: Promise<void> | undefined;
  #lastWriteMs = 0;
  #idle: AbortController | undefined;

  constructor(parts: StepOutputParts) {
    this.#parts = parts;
    this.#streams = { stdout: new LineStream(parts.masker.stream()), stderr: new LineStream(parts.masker.stream()) };
  }

  write(stream: Stream, chunk: Uint8Array): void | Promise<void> {
    for (const lines of this.#streams[stream].push(chunk)) this.#add(stream, lines);
    this.#lastWriteMs = this.#parts.clock.monotonicMs();
    if (this.#idle === undefined && this.#hasPartial()) void this.#watchIdle();
    return this.#taking;
  }

  async close(): Promise<void> {
    this.#idle?.abort();
    for (const stream of ['stdout', 'stderr'] as const) for (const lines of this.#streams[stream].end()) this.#add(stream, lines);
    this.#send();
    await this.#taking;
  }

  #add(stream: Stream, { text, partial }: Lines): void {
    if (stream !== this.#batchStream) this.#send();
    this.#batchStream = stream;
    this.#batch.push(text);
    this.#batchSize += text.length;
    if (partial || this.#batchSize >= BATCH) this.#send(partial);
    else this.#turnEnd ??= setImmediate(() => this.#send());
  }

  #send(partial = false): void {
    if (this.#turnEnd !== undefined) clearImmediate(this.#turnEnd);
    this.#turnEnd = undefined;
    if (this.#batch.length === 0) return;
    const { step, attempt, emit } = this.#parts;
    const text = this.#batch.length === 1 ? (this.#batch[0] as string) : this.#batch.join('\n');
    this.#batch = [];
    this.#batchSize = 0;
    const taken = emit({ type: 'step-output', step, attempt, stream: this.#batchStream, text, ...(partial ? { partial } : {}) });
    if (taken === undefined) return;
    const taking = Promise.all([this.#taking, taken]).then(() => {
      if (this.#taking === taking) this.#taking = undefined;
    });
    this.#taking = taking;
  }

  #hasPartial(): boolean {
    return this.#streams.stdout.hasPartial || this.#streams.stderr.hasPartial;
  }

  /** One watcher at a time, while a line is unfinished. */
  async #watchIdle(): Promise<void> {
    const { clock } = this.#parts;
    const idle = new AbortController();
    this.#idle = idle;
    while (this.#hasPartial()) {
      await clock.sleep(Math.max(1, this.#lastWriteMs + IDLE_MS - clock.monotonicMs()), idle.signal);
      if (idle.signal.aborted) return;
      if (clock.monotonicMs() - this.#lastWriteMs < IDLE_MS) continue;
      for (const stream of ['stdout', 'stderr'] as const) {
        for (const lines of this.#streams[stream].flushPartial()) this.#add(stream, lines);
      }
      break;
    }
    this.#idle = undefined;
  }
}
