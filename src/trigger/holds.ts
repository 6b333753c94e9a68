import type { Clock } from '../model/ports/clock.ts';
import type { RunStarter } from '../model/ports/run-starter.ts';
import type { Store } from '../model/ports/store.ts';
import type { RunHold } from '../model/run-hold.ts';
import { isTerminal, type RunRecord } from '../model/run-record.ts';

export interface HoldParts {
  readonly store: Pick<Store, 'runs' | 'events'>;
  readonly runs: RunStarter;
  readonly clock: Clock;
  onProblem(what: string, error: unknown): void;
}

/** Takes away what queued runs wait for, when it is over. Approvals are left to people. */
export interface Holds {
  /** What runs are to be started through, so that it is known what they wait for. */
  readonly runs: RunStarter;
  /** Takes up the held runs of an earlier process. */
  start(): Promise<void>;
  /** The run has ended, and what it pushed has been looked at and decided on. */
  ended(run: string): Promise<void>;
  close(): Promise<void>;
}

/** Between looks at every held run: for what nobody told of. */
const SWEEP_MS = 30_000;
/** So long an ended run may be without its event. */
const UNTOLD_MS = 10_000;
const MOST_PENDING = 10_000;
const EVENTS_OF_RUNS = ['run-ended', 'image', 'image-changed'] as const;

export function createHolds(parts: HoldParts): Holds {
  return new ReleasingHolds(parts);
}

class ReleasingHolds implements Holds {
  readonly runs: RunStarter;
  readonly #parts: HoldParts;
  /** When the time of a held run is over: as it stands in the run, and by the monotonic clock, which nobody sets back. */
  readonly #until = new Map<string, { readonly text: string; readonly dueMs: number }>();
  /** What is slept for. */
  #nextUntil = Number.POSITIVE_INFINITY;
  /** Ends of what changes the hold of a run: one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #closing = new AbortController();
  #wake = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(parts: HoldParts) {
    this.#parts = parts;
    this.runs = {
      fire: async (order) => {
        const fired = await parts.runs.fire(order);
        if (fired?.created === true) this.#follow(fired.run.id, fired.run.hold);
        return fired;
      },
      join: (run, joining) =>
        this.#inTurn(run, async () => {
          const done = await parts.runs.join(run, joining);
          if (done === 'done' && joining.hold !== undefined) this.#follow(run, joining.hold);
          return done;
        }),
      hold: (run, hold) => this.#inTurn(run, () => this.#hold(run, hold)),
      cancel: (run, reason) => parts.runs.cancel(run, reason),
    };
  }

  async start(): Promise<void> {
    await this.#sweep();
    this.#loop ??= this.#run();
  }

  async ended(run: string): Promise<void> {
    for (const held of await this.#parts.store.runs.held()) {
      if (held.hold?.runs?.includes(run) === true) await this.#withoutRuns(held.id, new Set([run]));
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake.abort();
    await this.#loop;
    await Promise.all(this.#turns.values());
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts;
    let sweepAt = clock.monotonicMs() + SWEEP_MS;
    while (!this.#closing.signal.aborted) {
      this.#wake = new AbortController();
      this.#nextUntil = Number.POSITIVE_INFINITY;
      for (const { dueMs } of this.#until.values()) this.#nextUntil = Math.min(this.#nextUntil, dueMs);
      const waitMs = Math.min(this.#nextUntil, sweepAt) - clock.monotonicMs();
      await clock.sleep(Math.max(0, waitMs), this.#wake.signal);
      if (this.#closing.signal.aborted) return;
      try {
        if (clock.monotonicMs() >= sweepAt) {
          sweepAt = clock.monotonicMs() + SWEEP_MS;
          await this.#sweep();
        } else await this.#releaseDue();
      } catch (error) {
        this.#parts.onProblem('held runs could not be looked at', error);
        await clock.sleep(1000, this.#closing.signal);
      }
    }
  }

  async #releaseDue(): Promise<void> {
    for (const [run, { text, dueMs }] of [...this.#until]) if (this.#isOver(text, dueMs)) await this.#withoutTime(run);
  }

  /** Looks at every held run anew. */
  async #sweep(): Promise<void> {
    const followed = [...this.#until.keys()];
    const held = await this.#parts.store.runs.held();
    // Only those that were known before: what is made meanwhile is not among the runs that were read.
    const ids = new Set(held.map(({ id }) => id));
    for (const run of followed) if (!ids.has(run)) this.#until.delete(run);
    for (const { id, hold } of held) this.#follow(id, hold);
    await this.#releaseDue();
    const awaited = new Set(held.flatMap(({ hold }) => hold?.runs ?? []));
    if (awaited.size === 0) return;
    const over = await this.#over(awaited);
    for (const { id, hold } of held) if (hold?.runs?.some((run) => over.has(run)) === true) await this.#withoutRuns(id, over);
  }

  /** Of these runs those that are through: ended, with nothing to be decided on any more. */
  async #over(runs: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const { store, clock } = this.#parts;
    const over = new Set<string>();
    for (const id of runs) {
      const run = await store.runs.get(id);
      if (run === undefined || isLongEnded(run, clock.now().getTime())) over.add(id);
    }
    if (over.size === 0) return over;
    for (const kind of EVENTS_OF_RUNS) {
      for (const { happening } of await store.events.list({ kind, status: 'pending', limit: MOST_PENDING })) {
        if ('run' in happening && happening.run !== undefined) over.delete(happening.run);
      }
    }
    return over;
  }

  #follow(run: string, hold: RunHold | undefined): void {
    if (hold?.until === undefined) {
      this.#until.delete(run);
      return;
    }
    const { clock } = this.#parts;
    const known = this.#until.get(run);
    const waitMs = Date.parse(hold.until) - clock.now().getTime();
    const dueMs = known?.text === hold.until ? known.dueMs : clock.monotonicMs() + waitMs;
    this.#until.set(run, { text: hold.until, dueMs });
    if (dueMs < this.#nextUntil) this.#wake.abort();
  }

  /** Also when the wall clock says so: it was set forward, or the machine slept. */
  #isOver(text: string, dueMs: number): boolean {
    const { clock } = this.#parts;
    return dueMs <= clock.monotonicMs() || Date.parse(text) <= clock.now().getTime();
  }

  #withoutTime(run: string): Promise<unknown> {
    return this.#inTurn(run, async () => {
      const hold = (await this.#parts.store.runs.get(run))?.hold;
      this.#follow(run, hold);
      const known = this.#until.get(run);
      if (hold?.until !== undefined && known !== undefined && this.#isOver(known.text, known.dueMs)) {
        const { until: _, ...rest } = hold;
        await this.#hold(run, rest);
      }
    });
  }

  #withoutRuns(run: string, over: ReadonlySet<string>): Promise<unknown> {
    return this.#inTurn(run, async () => {
      const hold = (await this.#parts.store.runs.get(run))?.hold;
      if (hold?.runs === undefined) return;
      const { runs, ...rest } = hold;
      const left = runs.filter((id) => !over.has(id));
      if (left.length === runs.length) return;
      await this.#hold(run, left.length === 0 ? rest : { ...rest, runs: left });
    });
  }

  async #hold(run: string, hold: RunHold | undefined): Promise<'done' | 'stale'> {
    const kept = hold === undefined || isOver(hold) ? undefined : hold;
    const done = await this.#parts.runs.hold(run, kept);
    this.#follow(run, done === 'done' ? kept : undefined);
    return done;
  }

  #inTurn<Value>(run: string, work: () => Promise<Value>): Promise<Value> {
    const turn = (this.#turns.get(run) ?? Promise.resolve()).then(work);
    const ended = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#turns.set(run, ended);
    void ended.then(() => {
      if (this.#turns.get(run) === ended) this.#turns.delete(run);
    });
    return turn;
  }
}

function isOver({ until, runs, approval }: RunHold): boolean {
  return until === undefined && (runs === undefined || runs.length === 0) && approval === undefined;
}

function isLongEnded(run: RunRecord, nowMs: number): boolean {
  return isTerminal(run) && nowMs - Date.parse(run.finishTime ?? run.lastUpdatedTime) >= UNTOLD_MS;
}
