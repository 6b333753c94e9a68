import type { Clock } from '../model/ports/clock.ts';
import type { EventStore } from '../model/ports/event-store.ts';
import type { TriggerEvent } from '../model/trigger-event.ts';
import { EventAttempts } from './event-attempts.ts';
import { EventLanes } from './event-lanes.ts';
import { EventReader } from './event-reader.ts';
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

const LONGEST_SLEEP_MS = 30_000;
const CLOSING_MS = 10_000;
const AFTER_FAILURE_MS = 1000;
const FULL_MS = 1000;
const TOGETHER_MS = 25;
/** The store compares the wall clock, to the millisecond. */
const SLACK_MS = 5;

export function createEvaluator(parts: EvaluatorParts): Evaluator {
  return new RunningEvaluator(parts);
}

class RunningEvaluator implements Evaluator {
  readonly #parts: EvaluatorParts;
  readonly #settlements: Settlements;
  readonly #waiters: EventWaiters;
  readonly #lanes: EventLanes;
  readonly #reader: EventReader;
  /** Taken and not yet through, by id. */
  readonly #taken = new Set<string>();
  /** What was through while the store was read: the answer may be older. */
  readonly #through = new Set<string>();
  readonly #attempts: EventAttempts;
  readonly #idlers = new Set<() => void>();
  readonly #stopping = new AbortController();
  readonly #closing = new AbortController();
  #wake = new AbortController();
  #notified = false;
  /** Monotonic: what is postponed is due then. */
  #nextRetryMs = Number.POSITIVE_INFINITY;
  /** Monotonic: the store is read from the beginning then. */
  #rewindMs = Number.POSITIVE_INFINITY;
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
      isSuspect: (event) => this.#attempts.isLast(event),
      onRoom: (lane) => {
        if (this.#reader.hasRoom(lane)) this.notify();
      },
      closing: this.#closing.signal,
    });
    this.#reader = new EventReader({ events, lanes: this.#lanes, take: (event) => this.#claim(event) });
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
    const working = this.#lanes.idle().then(() => ended.abort());
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
        if (fresh === 0 && this.#isIdle()) this.#tellIdle();
      } catch (error) {
        this.#parts.onProblem('pending events could not be read', error);
        idleMs = AFTER_FAILURE_MS;
      }
      if (this.#notified) {
        // Each delivery of a crowd tells of itself: they are read together.
        if (this.#parts.isBusy?.() === true) await this.#parts.clock.sleep(TOGETHER_MS, this.#closing.signal);
        continue;
      }
      const dueMs = Math.min(this.#nextRetryMs, this.#rewindMs) - this.#parts.clock.monotonicMs();
      await this.#parts.clock.sleep(Math.max(0, Math.min(idleMs, dueMs)), this.#wake.signal);
      // For what nobody told of: another process may have recorded it.
      if (!this.#notified && this.#isIdle()) this.#reader.rewind();
    }
  }

  #tellIdle(): void {
    for (const resolve of this.#idlers) resolve();
    this.#idlers.clear();
  }

  #isIdle(): boolean {
    return this.#taken.size === 0 && this.#reader.isThrough && !this.#notified;
  }

  /** Takes what is due and not yet taken. How many it took. */
  async #take(): Promise<number> {
    const now = this.#parts.clock.monotonicMs();
    // Lanes may be full: those that are due in them are looked for again.
    if (this.#nextRetryMs <= now) this.#nextRetryMs = this.#reader.isThrough ? Number.POSITIVE_INFINITY : now + FULL_MS;
    if (this.#rewindMs <= now) {
      this.#rewindMs = Number.POSITIVE_INFINITY;
      this.#reader.rewind();
    }
    this.#through.clear();
    const { fresh, more } = await this.#reader.read();
    if (more) this.#notified = true;
    return fresh;
  }

  #claim({ id }: TriggerEvent): boolean {
    if (this.#closing.signal.aborted || this.#taken.has(id) || this.#through.has(id)) return false;
    this.#taken.add(id);
    return true;
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
      this.#rewindMs = Math.min(this.#rewindMs, this.#parts.clock.monotonicMs() + AFTER_FAILURE_MS);
      // It keeps its place until then: it is due all the time, and would be taken up again at once.
      await this.#parts.clock.sleep(AFTER_FAILURE_MS, this.#closing.signal);
    }
    this.#taken.delete(id);
    this.#through.add(id);
    if (!again) this.#forget(id);
    if (this.#taken.size === 0) this.notify();
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
    const waitMs = await this.#attempts.failed(event, error, this.#stopping.signal.aborted);
    if (waitMs === undefined) return false;
    const dueMs = this.#parts.clock.monotonicMs() + waitMs + SLACK_MS;
    if (dueMs < this.#nextRetryMs) {
      this.#nextRetryMs = dueMs;
      this.#wake.abort();
    }
    return true;
  }

  #forget(id: string): void {
    this.#attempts.forget(id);
    this.#waiters.ended(id);
  }
}
