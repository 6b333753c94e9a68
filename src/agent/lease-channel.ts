import { EngineError } from '../model/engine-error.ts';
import type { AgentChannel, AgentOutcome } from '../model/ports/agent-channel.ts';
import type { Clock } from '../model/ports/clock.ts';
import type { RunEvent } from '../model/run-event.ts';
import { OUTPUT_MISSING } from '../run/cmd-step.ts';
import type { OutputChunk } from '../run/run-options.ts';
import type { ActiveRun } from './active-run.ts';

/** Step id of what the agent itself has to say in a run's log. */
export const OWN_STEP = 'slipway';

const MOST_EVENTS = 500;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/**
 * What one attempt of a run tells the daemon. Events go in batches, one after another; what fails for a while (a full disk, a store
 * that cannot be written) is tried again. When the daemon says that the attempt is stale the run is lost, and nothing more is said.
 */
export class LeaseChannel {
  readonly #channel: AgentChannel;
  readonly #run: ActiveRun;
  readonly #clock: Clock;
  #waiting: RunEvent[] = [];
  #progress: RunEvent[] = [];
  #next: PromiseWithResolvers<void> | undefined;
  #flushing: Promise<void> | undefined;
  #lastEvent: number;
  #ownBytes = 0;
  /** Of each step that runs. */
  readonly #attempts = new Map<string, number>();

  constructor(channel: AgentChannel, run: ActiveRun, clock: Clock) {
    this.#channel = channel;
    this.#run = run;
    this.#clock = clock;
    this.#lastEvent = run.assignment.resume?.lastEvent ?? 0;
  }

  /** Number of the last event that was told. */
  get lastEvent(): number {
    return this.#lastEvent;
  }

  /**
   * Takes an event; the promise resolves when it is durable. Progress is not stored and not waited for: it has no number of its own, so
   * that those of the others have no gap.
   */
  emit(event: RunEvent): void | Promise<void> {
    if (this.#run.lost.aborted) return undefined;
    if (event.type === 'step-started' || event.type === 'container-created') this.#attempts.set(event.step, event.attempt);
    if (event.type === 'note' && event.message === OUTPUT_MISSING) this.#markGap(event.step ?? OWN_STEP);
    if (event.type === 'build-progress' || event.type === 'transfer-progress')
      return this.#showProgress({ ...event, seq: this.#lastEvent });
    this.#lastEvent += 1;
    this.#waiting.push({ ...event, seq: this.#lastEvent });
    this.#next ??= Promise.withResolvers();
    this.#flushing ??= this.#flush();
    return this.#next.promise;
  }

  output(chunk: OutputChunk): void | Promise<void> {
    if (this.#run.lost.aborted) return undefined;
    try {
      const written = this.#channel.log(this.#run.lease, { ...chunk, at: this.#now(), afterEvent: this.#lastEvent });
      return written?.catch((error: unknown) => this.#unlessStale(error));
    } catch (error) {
      return this.#unlessStale(error);
    }
  }

  /** Writes into the log of the run what the agent has to say: whole lines without the last LF. */
  say(text: string): void {
    const bytes = Buffer.from(`${text}\n`);
    this.#ownBytes += bytes.length;
    const written = this.output({ step: OWN_STEP, attempt: this.#run.lease.attempt, stream: 'stderr', bytes, position: this.#ownBytes });
    // What cannot be written here shows in the outcome.
    if (written !== undefined) void written.catch(() => undefined);
  }

  planned(planned: Parameters<AgentChannel['planned']>[1]): Promise<void> {
    return this.#tell(() => this.#channel.planned(this.#run.lease, planned));
  }

  /** After everything that was emitted before. */
  async finish(outcome: AgentOutcome): Promise<void> {
    this.#passProgress();
    await this.#flushing;
    await this.#tell(() => this.#channel.finish(this.#run.lease, outcome));
  }

  async release(): Promise<void> {
    await this.#flushing;
    await this.#tell(() => this.#channel.release(this.#run.lease));
  }

  /** Never rejects: whoever emitted is told. */
  async #flush(): Promise<void> {
    // What is emitted in the same turn goes along: each report is a transaction of the daemon.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const events = this.#waiting;
      const told = this.#next;
      this.#waiting = [];
      this.#next = undefined;
      try {
        for (let first = 0; first < events.length; first += MOST_EVENTS) {
          await this.#tell(() => this.#channel.report(this.#run.lease, events.slice(first, first + MOST_EVENTS)));
        }
        told?.resolve();
      } catch (error) {
        told?.reject(error);
      }
    }
    this.#flushing = undefined;
  }

  #markGap(step: string): void {
    const before = this.#run.assignment.resume?.states[step];
    const attempt = this.#attempts.get(step) ?? (before?.status === 'running' ? before.attempt : 1);
    try {
      this.#channel.gap(this.#run.lease, step, attempt, 'the engine has no longer all that it kept while nobody was reading');
    } catch (error) {
      this.#unlessStale(error);
    }
  }

  #showProgress(event: RunEvent): undefined {
    // What comes in the same turn goes along.
    if (this.#progress.push(event) === 1) setImmediate(() => this.#passProgress());
  }

  #passProgress(): void {
    const events = this.#progress;
    this.#progress = [];
    if (events.length > 0 && !this.#run.lost.aborted) this.#channel.progress(this.#run.lease, events);
  }

  /**
   * Tries until it works, fails for good, or the run is lost. One that is suspended is not waited for: what could not be told is not on
   * record, as if this process had been killed, and the next attempt of the run learns it from the engine.
   */
  async #tell(work: () => Promise<void>): Promise<void> {
    const { lost, suspended } = this.#run;
    for (let pause = FIRST_PAUSE_MS; !lost.aborted; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
      try {
        return await work();
      } catch (error) {
        if (isStale(error)) return this.#run.lose();
        if (!passes(error)) throw error;
        if (suspended.aborted) return await othersHaveHeard();
        await this.#clock.sleep(pause, AbortSignal.any([lost, suspended]));
      }
    }
  }

  #unlessStale(error: unknown): void {
    if (!isStale(error)) throw error;
    this.#run.lose();
  }

  #now(): string {
    return this.#clock.now().toISOString();
  }
}

/** What runs is let go of in the turn in which the run is suspended: nothing must start because this seems to be on record. */
function othersHaveHeard(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isStale(error: unknown): boolean {
  return error instanceof EngineError && error.code === 'stale-attempt';
}

function passes(error: unknown): boolean {
  return error instanceof EngineError && (error.transient || error.code === 'store-failed' || error.code === 'disk-full');
}
