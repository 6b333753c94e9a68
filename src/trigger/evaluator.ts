import type { Clock } from '../model/ports/clock.ts';
import type { EventStore } from '../model/ports/event-store.ts';
import type { TriggerEvent } from '../model/trigger-event.ts';
import { EventAttempts } from './event-attempts.ts';
import { EventLanes } from './event-lanes.ts';
import { EventWaiters } from './event-waiters.ts';
import type { Evaluation, Handlers } from './parts.ts';
import { createSettlements, type Settlements } from './settlements.ts';

export interface EvaluatorParts {
  readonly events: EventStore;
  readonly handlers: Handlers;
  readonly clock: Clock;
  /** Whether others of this process have more to do than they get done, and are waited for: deliveries of webhooks. */
  isBusy?(): boolean;
  /** Something that nobody waits for went wrong: for the daemon's own log. */
  onProblem(what: string, error: unknown): void;
}

/** Turns pending events into decisions, each by the handler of its kind. */
export interface Evaluator {
  /** Begins with what an earlier process left pending. */
  start(): void;
  /** There may be new events. */
  notify(): void;
  /** Resolves when none of these is pending any more, or when `signal` aborts. */
  settled(ids: readonly string[], signal: AbortSignal): Promise<void>;
  /** Resolves when no event is due and none is being decided on. */
  idle(): Promise<void>;
  /** Takes nothing new, lets what was begun end for a while, then ends it; what is not decided stays pending. */
  close(): Promise<void>;
}

/** Events in memory; as many again are read when half of them are through. */
const MOST_TAKEN = 2000;
const LONGEST_ALONE_MS = 2000;
const LONGEST_SLEEP_MS = 30_000;
const CLOSING_MS = 10_000;
const AFTER_FAILURE_MS = 1000;

export function createEvaluator(parts: EvaluatorParts): Evaluator {
  return new RunningEvaluator(parts);
}

class RunningEvaluator implements Evaluator {
  readonly #parts: EvaluatorParts;
  readonly #settlements: Settlements;
  readonly #waiters: EventWaiters;
  readonly #lanes: EventLanes;
  /** Taken and not yet through, by id. */
  readonly #taken = new Map<string, TriggerEvent>();
  /** What is decided on by itself. */
  readonly #alone = new Set<Promise<void>>();
  readonly #attempts: EventAttempts;
  readonly #idlers = new Set<() => void>();
  readonly #stopping = new AbortController();
  readonly #closing = new AbortController();
  #wake = new AbortController();
  #notified = false;
  /** Number of the newest event that was read. */
  #newest = 0;
  #nextRetryMs = Number.POSITIVE_INFINITY;
  #loop: Promise<void> | undefined;

  constructor(parts: EvaluatorParts) {
    this.#parts = parts;
    const { events, clock } = parts;
    this.#settlements = createSettlements(events);
    const onProblem = (what: string, error: unknown): void => parts.onProblem(what, error);
    this.#waiters = new EventWaiters({ events, clock, onProblem });
    this.#attempts = new EventAttempts({ events, clock, onProblem });
    this.#lanes = new EventLanes({
      clock,
      decide: (event) => this.#decide(event),
      isBusy: () => parts.isBusy?.() === true,
      closing: this.#closing.signal,
    });
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  notify(): void {
    this.#notified = true;
    this.#wake.abort();
  }

  settled(ids: readonly string[], signal: AbortSignal): Promise<void> {
    return this.#waiters.settled(ids, signal);
  }

  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idlers.add(resolve);
      this.notify();
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake.abort();
    this.#lanes.clear();
    const ended = new AbortController();
    const working = Promise.all([this.#lanes.idle(), ...this.#alone]).then(() => ended.abort());
    await Promise.race([working, this.#parts.clock.sleep(CLOSING_MS, ended.signal)]);
    this.#stopping.abort();
    await Promise.all([working, this.#loop]);
    this.#waiters.close();
    for (const resolve of this.#idlers) resolve();
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      this.#notified = false;
      this.#wake = new AbortController();
      let idleMs = LONGEST_SLEEP_MS;
      try {
        const fresh = await this.#take();
        if (fresh === 0 && this.#taken.size === 0 && !this.#notified) this.#tellIdle();
      } catch (error) {
        this.#parts.onProblem('pending events could not be read', error);
        idleMs = AFTER_FAILURE_MS;
      }
      if (this.#notified && this.#hasRoom()) continue;
      const retryMs = this.#nextRetryMs - this.#parts.clock.now().getTime();
      await this.#parts.clock.sleep(Math.max(0, Math.min(idleMs, retryMs)), this.#wake.signal);
    }
  }

  #tellIdle(): void {
    for (const resolve of this.#idlers) resolve();
    this.#idlers.clear();
  }

  #hasRoom(): boolean {
    return this.#taken.size <= MOST_TAKEN / 2;
  }

  /** Takes what is due and not yet taken. How many it took. */
  async #take(): Promise<number> {
    if (!this.#hasRoom()) return 0;
    const isRetryDue = this.#nextRetryMs <= this.#parts.clock.now().getTime();
    if (isRetryDue) this.#nextRetryMs = Number.POSITIVE_INFINITY;
    // What is under way is not read again and again while more comes in.
    const after = isRetryDue || this.#taken.size === 0 ? undefined : this.#newest;
    const limit = after === undefined ? MOST_TAKEN + this.#taken.size : MOST_TAKEN;
    const pending = await this.#parts.events.pending(limit, after);
    this.#newest = Math.max(this.#newest, pending.at(-1)?.number ?? 0);
    const fresh = pending.filter(({ id }) => !this.#taken.has(id));
    for (const event of fresh) this.#taken.set(event.id, event);
    const alone = fresh.filter((event) => this.#attempts.isLast(event));
    for (const event of alone) {
      if (this.#closing.signal.aborted) return fresh.length;
      await this.#decideAlone(event);
    }
    for (const event of fresh) if (!alone.includes(event)) this.#lanes.add(event);
    // What follows from events that were settled meanwhile, or did not fit.
    if (pending.length === limit) this.#notified = true;
    return fresh.length;
  }

  /** It was at work when the process ended, and ended again: alone, it cannot make others look guilty. What takes long ends no process. */
  async #decideAlone(event: TriggerEvent): Promise<void> {
    const ended = new AbortController();
    const decided = this.#lanes
      .idle()
      .then(() => (this.#closing.signal.aborted ? undefined : this.#decide(event)))
      .then(() => {
        this.#alone.delete(decided);
        ended.abort();
      });
    this.#alone.add(decided);
    await Promise.race([decided, this.#parts.clock.sleep(LONGEST_ALONE_MS, ended.signal)]);
  }

  /** Never rejects: what cannot be decided on stays pending, or is given up. */
  async #decide(event: TriggerEvent): Promise<void> {
    const { id } = event;
    let again = false;
    try {
      if (await this.#attempts.begin(event)) again = await this.#evaluate(event);
    } catch (error) {
      again = true;
      this.#parts.onProblem(`event ${id} could not be kept`, error);
      this.#retryAt(this.#parts.clock.now().getTime() + AFTER_FAILURE_MS);
      // It keeps its place until then: it is due all the time, and would be taken up again at once.
      await this.#parts.clock.sleep(AFTER_FAILURE_MS, this.#closing.signal);
    }
    this.#taken.delete(id);
    if (!again) this.#forget(id);
    if (this.#taken.size === 0 || this.#taken.size === MOST_TAKEN / 2) this.notify();
  }

  /** Whether it is to be tried again. */
  async #evaluate(event: TriggerEvent): Promise<boolean> {
    let evaluation: Evaluation;
    try {
      evaluation = await this.#handle(event);
    } catch (error) {
      return this.#failed(event, error);
    }
    await this.#settlements.settle(event.id, evaluation);
    if ((evaluation.then ?? []).length > 0) this.notify();
    return false;
  }

  #handle(event: TriggerEvent): Promise<Evaluation> {
    // Each handler stands under the kind of the events that it takes.
    const handler = this.#parts.handlers[event.happening.kind] as
      | ((event: TriggerEvent, signal: AbortSignal) => Promise<Evaluation>)
      | undefined;
    if (handler !== undefined) return handler(event, this.#stopping.signal);
    const because = `nothing follows events of kind ${event.happening.kind}`;
    return Promise.resolve({ decisions: [{ outcome: 'skipped', code: 'no-trigger', because }] });
  }

  async #failed(event: TriggerEvent, error: unknown): Promise<boolean> {
    const retryMs = await this.#attempts.failed(event, error, this.#stopping.signal.aborted);
    if (retryMs === undefined) return false;
    this.#retryAt(retryMs);
    return true;
  }

  #retryAt(timeMs: number): void {
    if (timeMs >= this.#nextRetryMs) return;
    this.#nextRetryMs = timeMs;
    this.#wake.abort();
  }

  #forget(id: string): void {
    this.#attempts.forget(id);
    this.#waiters.ended(id);
  }
}
