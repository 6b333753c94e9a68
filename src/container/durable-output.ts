import type { EngineDescription } from '../model/ports/container-engine.ts';
import { systemClock } from '../util/clock.ts';
import type { EngineApi } from './engine-api.ts';
import { readEngineLog } from './engine-log.ts';
import type { OutputPump } from './output-stream.ts';

type Stream = 'stdout' | 'stderr';
export type Positions = Readonly<Record<Stream, number>>;
type Deliver = (stream: Stream, chunk: Uint8Array) => void | Promise<void>;

const PAUSE_BEFORE_READING_AGAIN_MS = 200;
/** An attached stream ends together with its container; one that ended so much earlier was cut off. */
const ENDED_TOGETHER_MS = 20;

export interface DurableOutputParts {
  readonly api: EngineApi;
  readonly kind: EngineDescription['kind'];
  readonly container: { readonly id: string; readonly tty: boolean };
  /** Raw bytes of each stream that are not wanted again. */
  readonly from: Positions;
  readonly deliver: Deliver;
}

/**
 * The output of one container, each byte once, wherever it comes from: attached streams while they last, the engine's log after a
 * connection was lost and for a container that is adopted. Both have the same bytes in the same order per stream, so a count of
 * delivered bytes is all that is needed to change over.
 */
export class DurableOutput {
  readonly #parts: DurableOutputParts;
  readonly #delivered: { stdout: number; stderr: number };
  readonly #stopped = new AbortController();
  readonly #failure = Promise.withResolvers<never>();
  #pump: OutputPump | undefined;
  #pumpEndedAtMs: number | undefined;
  #usedLog = false;
  #isMissing = false;
  #following: Promise<void> = Promise.resolve();

  constructor(parts: DurableOutputParts) {
    this.#parts = parts;
    this.#delivered = { ...parts.from };
    this.#failure.promise.catch(() => undefined);
  }

  /** Rejects with what `deliver` threw; never resolves. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** After `finish`: the engine's log ended before what had been delivered of it, so its beginning is gone. */
  get isMissing(): boolean {
    return this.#isMissing;
  }

  /** For a pump of streams that were attached before the start. */
  readonly deliverAttached: Deliver = (stream, chunk) => {
    this.#delivered[stream] += chunk.length;
    return this.#parts.deliver(stream, chunk);
  };

  /** Begins to deliver: from the attached streams while they last, then from the log. Call once. */
  follow(pump: OutputPump | undefined): void {
    this.#pump = pump;
    this.#following = this.#follow().catch((error: unknown) => this.#failure.reject(error));
  }

  /** The container has ended: delivers what is left. */
  async finish(): Promise<void> {
    const endedAtMs = systemClock.monotonicMs();
    if (this.#pump?.isOpen() === true) await this.#pump.drain();
    const together = this.#pumpEndedAtMs !== undefined && endedAtMs - this.#pumpEndedAtMs < ENDED_TOGETHER_MS;
    await this.stop();
    if (this.#usedLog || !together) await this.#readLog(false, AbortSignal.timeout(LAST_READING_MS));
  }

  /** Ends the delivery; resolves when what was being delivered is. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#pump?.stop();
    await this.#following;
  }

  async #follow(): Promise<void> {
    if (this.#pump !== undefined) {
      await this.#pump.done;
      this.#pumpEndedAtMs = systemClock.monotonicMs();
      await systemClock.sleep(PAUSE_BEFORE_READING_AGAIN_MS, this.#stopped.signal);
    }
    while (!this.#stopped.signal.aborted) {
      this.#usedLog = true;
      await this.#readLog(true, this.#stopped.signal);
      await systemClock.sleep(PAUSE_BEFORE_READING_AGAIN_MS, this.#stopped.signal);
    }
  }

  /** Reads the log from its beginning and delivers what was not. Rejects only with what `deliver` threw, or when it cannot read the rest. */
  async #readLog(follow: boolean, signal: AbortSignal): Promise<void> {
    const { api, container, kind } = this.#parts;
    const seen = { stdout: 0, stderr: 0 };
    const parts = readEngineLog(api, container, { kind, follow, signal });
    for (;;) {
      const next = await parts.next().catch((error: unknown) => {
        // While the container runs it is read again; the rest of one that has ended must not be missing silently.
        if (follow) return undefined;
        throw error;
      });
      if (next === undefined) return;
      if (next.done === true) {
        this.#isMissing = !follow && (seen.stdout < this.#delivered.stdout || seen.stderr < this.#delivered.stderr);
        return;
      }
      const { stream, bytes } = next.value;
      const skipped = Math.min(bytes.length, Math.max(0, this.#delivered[stream] - seen[stream]));
      seen[stream] += bytes.length;
      if (skipped === bytes.length) continue;
      this.#delivered[stream] = seen[stream];
      await this.#parts.deliver(stream, skipped === 0 ? bytes : bytes.subarray(skipped));
      if (follow && signal.aborted) return;
    }
  }
}

/** Reading what is left of a log of any size. */
const LAST_READING_MS = 600_000;
