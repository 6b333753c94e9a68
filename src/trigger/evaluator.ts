import PQueue from 'p-queue';
import { EngineError } from '../model/engine-error.ts';
import type { Clock } from '../model/ports/clock.ts';
import type { EventStore } from '../model/ports/event-store.ts';
import type { TriggerEvent } from '../model/trigger-event.ts';
import { exponentialBackoffMs } from '../util/backoff.ts';
import { isNear, laneOf } from './event-lane.ts';
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

/** Attempts that may fail for other reasons than passing ones, or end the process. */
const MOST_ATTEMPTS = 3;
/** Events in memory; as many again are read when half of them are through. */
const MOST_TAKEN = 2000;
/** As many as share one transaction of the store. */
const NEAR_AT_ONCE = 256;
/** Most of these wait, for what looks find: each is a few objects. */
const FAR_AT_ONCE = 512;
/** For so long at most an event waits for those who wait for answers, and between looks whether they still do. */
const LONGEST_GIVEN_WAY_MS = 5000;
const GIVEN_WAY_MS = 25;
const LONGEST_ALONE_MS = 2000;
const LONGEST_SLEEP_MS = 30_000;
const CLOSING_MS = 10_000;
const BACKOFF = { firstMs: 1000, longestMs: 300_000 };
const LONGEST_ERROR = 1000;

export function createEvaluator(parts: EvaluatorParts): Evaluator {
  return new RunningEvaluator(parts);
}

class RunningEvaluator implements Evaluator {
  readonly #parts: EvaluatorParts;
  readonly #settlements: Settlements;
  /** Those that touch nothing but this daemon do not wait for the others. */
  readonly #near = new PQueue({ concurrency: NEAR_AT_ONCE });
  readonly #far = new PQueue({ concurrency: FAR_AT_ONCE });
  /** Taken and not yet through, by id. */
  readonly #taken = new Map<string, TriggerEvent>();
  /** What follows the first of each lane. */
  readonly #lanes = new Map<string, TriggerEvent[]>();
  /** What is decided on by itself. */
  readonly #alone = new Set<Promise<void>>();
  /** Begun by this process: what has attempts otherwise was begun by one that ended. */
  readonly #own = new Set<string>();
  /** Postponements for passing reasons, for the back-off. */
  readonly #postponed = new Map<string, number>();
  readonly #waiters = new Set<{ readonly pending: Set<string>; readonly resolve: () => void }>();
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
    this.#settlements = createSettlements(parts.events);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  notify(): void {
    this.#notified = true;
    this.#wake.abort();
  }

  async settled(ids: readonly string[], signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const waiter = { pending: new Set(ids), resolve: () => ended.abort() };
    this.#waiters.add(waiter);
    try {
      await this.#dropEnded(waiter.pending);
      const either = AbortSignal.any([signal, ended.signal]);
      while (waiter.pending.size > 0 && !either.aborted) await this.#parts.clock.sleep(LONGEST_SLEEP_MS, either);
    } finally {
      this.#waiters.delete(waiter);
    }
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
    this.#near.clear();
    this.#far.clear();
    const ended = new AbortController();
    const working = Promise.all([this.#queuesIdle(), ...this.#alone]).then(() => ended.abort());
    await Promise.race([working, this.#parts.clock.sleep(CLOSING_MS, ended.signal)]);
    this.#stopping.abort();
    await Promise.all([working, this.#loop]);
    for (const { resolve } of this.#waiters) resolve();
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
        idleMs = BACKOFF.firstMs;
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
    const alone = fresh.filter((event) => this.#isSuspect(event) && event.attempts >= MOST_ATTEMPTS - 1);
    for (const event of alone) {
      if (this.#closing.signal.aborted) return fresh.length;
      await this.#decideAlone(event);
    }
    for (const event of fresh) if (!alone.includes(event)) this.#enqueue(event);
    // What follows from events that were settled meanwhile, or did not fit.
    if (pending.length === limit) this.#notified = true;
    return fresh.length;
  }

  /** It was at work when the process ended, and ended again: alone, it cannot make others look guilty. What takes long ends no process. */
  async #decideAlone(event: TriggerEvent): Promise<void> {
    const ended = new AbortController();
    const decided = this.#queuesIdle()
      .then(() => (this.#closing.signal.aborted ? undefined : this.#decide(event)))
      .then(() => {
        this.#alone.delete(decided);
        ended.abort();
      });
    this.#alone.add(decided);
    await Promise.race([decided, this.#parts.clock.sleep(LONGEST_ALONE_MS, ended.signal)]);
  }

  async #queuesIdle(): Promise<void> {
    await Promise.all([this.#near.onIdle(), this.#far.onIdle()]);
  }

  #isSuspect({ id, attempts }: TriggerEvent): boolean {
    return attempts > 0 && !this.#own.has(id);
  }

  #enqueue(event: TriggerEvent): void {
    const lane = laneOf(event);
    const behind = this.#lanes.get(lane);
    if (behind !== undefined) {
      behind.push(event);
      return;
    }
    this.#lanes.set(lane, []);
    this.#dispatch(event, lane);
  }

  #dispatch(event: TriggerEvent, lane: string): void {
    const work = async (): Promise<void> => {
      await this.#giveWay();
      if (!this.#closing.signal.aborted) await this.#decide(event);
      const next = this.#lanes.get(lane)?.shift();
      if (next === undefined) this.#lanes.delete(lane);
      else if (!this.#closing.signal.aborted) this.#dispatch(next, lane);
    };
    void (isNear(event) ? this.#near : this.#far).add(work);
  }

  /** A forge waits for an answer; a run can be there a second later. */
  async #giveWay(): Promise<void> {
    const { clock, isBusy } = this.#parts;
    for (let waitedMs = 0; waitedMs < LONGEST_GIVEN_WAY_MS && isBusy?.() === true; waitedMs += GIVEN_WAY_MS) {
      if (this.#closing.signal.aborted) return;
      await clock.sleep(GIVEN_WAY_MS, this.#closing.signal);
    }
  }

  /** Never rejects: what cannot be decided on stays pending, or is given up. */
  async #decide(event: TriggerEvent): Promise<void> {
    const { id, attempts } = event;
    let again = false;
    try {
      if (this.#isSuspect(event) && attempts >= MOST_ATTEMPTS) {
        await this.#parts.events.postpone(id, { error: `the daemon ended ${attempts} times while it decided on this event` });
      } else {
        await this.#parts.events.begin([id]);
        this.#own.add(id);
        again = await this.#evaluate(event);
      }
    } catch (error) {
      again = true;
      this.#parts.onProblem(`event ${id} could not be kept`, error);
      this.#retryAt(this.#parts.clock.now().getTime() + BACKOFF.firstMs);
      // It keeps its place until then: it is due all the time, and would be taken up again at once.
      await this.#parts.clock.sleep(BACKOFF.firstMs, this.#closing.signal);
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
    // It was ended, is decided on again by the next process, and is not to blame for that.
    const ended = this.#stopping.signal.aborted;
    const passing = ended || (error instanceof EngineError && error.transient);
    const attempts = event.attempts + 1;
    const text = (error instanceof Error ? error.message : String(error)).slice(0, LONGEST_ERROR);
    if (!passing) this.#parts.onProblem(`event ${event.id} (${event.happening.kind}) could not be decided on`, error);
    if (!passing && attempts >= MOST_ATTEMPTS) {
      await this.#parts.events.postpone(event.id, { error: text });
      return false;
    }
    const times = this.#postponed.get(event.id) ?? 0;
    this.#postponed.set(event.id, times + 1);
    const retryMs = this.#parts.clock.now().getTime() + (ended ? 0 : exponentialBackoffMs(times, BACKOFF));
    await this.#parts.events.postpone(event.id, { error: text, retryAt: new Date(retryMs).toISOString(), passing });
    this.#retryAt(retryMs);
    return true;
  }

  #retryAt(timeMs: number): void {
    if (timeMs >= this.#nextRetryMs) return;
    this.#nextRetryMs = timeMs;
    this.#wake.abort();
  }

  #forget(id: string): void {
    this.#own.delete(id);
    this.#postponed.delete(id);
    for (const waiter of this.#waiters) if (waiter.pending.delete(id) && waiter.pending.size === 0) waiter.resolve();
  }

  async #dropEnded(pending: Set<string>): Promise<void> {
    for (const id of [...pending]) {
      const event = await this.#parts.events.get(id).catch((error: unknown) => {
        this.#parts.onProblem(`event ${id} could not be read`, error);
        return undefined;
      });
      if (event?.status !== 'pending') pending.delete(id);
    }
  }
}
