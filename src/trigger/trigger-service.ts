import { EngineError } from '../model/engine-error.ts';
import type { EventQuery } from '../model/ports/event-store.ts';
import type { RunRecord } from '../model/run-record.ts';
import type { TaskRecord } from '../model/task-definition.ts';
import type { TriggerDecision, TriggerEvent } from '../model/trigger-event.ts';
import { createRunEndedSource, type RunEndedSource } from './after/run-ended-source.ts';
import { checkHead } from './approval.ts';
import { createEvaluator, type Evaluator } from './evaluator.ts';
import { explainRun, type RunExplanation } from './explain-run.ts';
import { explainTask, type TaskExplanation } from './explain-task.ts';
import { createHolds, type Holds } from './holds.ts';
import type { Evaluation, Handlers, TriggerParts, TriggerSource } from './parts.ts';
import { replayEvent } from './replay-event.ts';
import { RunReleases } from './run-releases.ts';
import { createTimerTriggers } from './timer/timer-triggers.ts';

/** The triggers that look at other places: repositories and registries. */
export interface OutsideSources {
  readonly sources: readonly TriggerSource[];
  /** Looks at the images that the run pushed; resolves when the events that follow are recorded. May be called again for the same run. */
  afterRun(run: RunRecord, signal: AbortSignal): Promise<Evaluation>;
  /** The commit that the pull request of a run is at now, at its source; undefined when it is gone. */
  headOf(run: RunRecord): Promise<string | undefined>;
}

export interface TriggerServiceParts extends Omit<TriggerParts, 'notify'> {
  /** Made with the parts that they are to work with: runs are started so that their holds are known. */
  outside(parts: TriggerParts): OutsideSources;
  /** Keeps and records the approval (the run service); refuses a `commit` that the run is not of. */
  approveRun(run: string, by: ApprovedBy, commit: string): Promise<RunRecord>;
  /** Whether events wait, for a while: see EvaluatorParts. */
  isBusy?(): boolean;
}

interface ApprovedBy {
  readonly name: string;
  readonly from: string;
}

/** Everything that starts runs by itself. Methods that name something reject with EngineError `not-found` when it is not there. */
export interface TriggerService {
  start(): Promise<void>;
  /** Ends what is under way; what is not decided on stays pending. */
  close(): Promise<void>;
  /** There may be new events. */
  notify(): void;
  /** To be called when a task was made, changed or deleted. Never rejects. */
  taskChanged(name: string): Promise<void>;
  /** To be called when the end of a run is stored. Never rejects. */
  runEnded(run: Pick<RunRecord, 'id' | 'status' | 'request'>): Promise<void>;
  /** Looks at once at all that a task follows. Resolves when what is pending then is decided on, or takes long. */
  check(task: string): Promise<void>;
  events(query: EventQuery): Promise<readonly TriggerEvent[]>;
  event(id: string): Promise<{ readonly event: TriggerEvent; readonly decisions: readonly TriggerDecision[] }>;
  /** Decides on an event once more, as a new one. What was fired for it does not fire again. `conflict` for events that are pending, or manual. */
  replay(id: string): Promise<TriggerEvent>;
  explainRun(id: string): Promise<RunExplanation>;
  /** `decisions`: most that are shown. */
  explainTask(name: string, decisions: number): Promise<TaskExplanation>;
  /**
   * Lets a run of a forked pull request go on; `commit` (or its beginning) is the one that was looked at. Rejects with `conflict` when it waits
   * for no approval, is of another commit, or the pull request is at another one now.
   */
  approve(run: string, by: ApprovedBy, commit?: string): Promise<RunRecord>;
  /** Resolves when no event is due and none is being decided on. */
  idle(): Promise<void>;
}

const MOST_DECISIONS = 10_000;
/** Events that a check waits for, and how long. */
const MOST_CHECKED = 1000;
const CHECK_MS = 10_000;

export function createTriggerService(parts: TriggerServiceParts): TriggerService {
  return new Triggers(parts);
}

class Triggers implements TriggerService {
  readonly #parts: TriggerServiceParts;
  readonly #evaluator: Evaluator;
  readonly #holds: Holds;
  readonly #ended: RunEndedSource;
  readonly #outside: OutsideSources;
  readonly #sources: readonly TriggerSource[];
  readonly #closing = new AbortController();
  #started: Promise<void> | undefined;
  /** Changes of one task are told one after the other. */
  readonly #changes = new Map<string, Promise<void>>();
  readonly #releases: RunReleases;

  constructor(parts: TriggerServiceParts) {
    this.#parts = parts;
    const { store, clock, onProblem } = parts;
    this.#holds = createHolds({ store, runs: parts.runs, clock, onProblem: (what, error) => onProblem(what, error) });
    const { outside: _, approveRun: __, isBusy: ___, ...base } = parts;
    const own: TriggerParts = { ...base, runs: this.#holds.runs, notify: () => this.notify() };
    this.#outside = parts.outside(own);
    this.#ended = createRunEndedSource({ ...own, afterRun: (run, signal) => this.#outside.afterRun(run, signal) });
    this.#sources = [...this.#outside.sources, createTimerTriggers(own), this.#ended];
    this.#releases = new RunReleases({
      ...{ store, holds: this.#holds, settled: (events, signal) => this.#evaluator.settled(events, signal) },
      onProblem: (what, error) => onProblem(what, error),
    });
    const handlers = mergeHandlers(this.#sources.map((source) => source.handlers));
    this.#evaluator = createEvaluator({
      ...{ events: store.events, clock },
      isBusy: () => parts.isBusy?.() === true,
      handlers: {
        ...handlers,
        ...(handlers['run-ended'] === undefined ? {} : { 'run-ended': this.#releases.after(handlers['run-ended']) }),
      },
      onProblem: (what, error) => onProblem(what, error),
    });
  }

  async start(): Promise<void> {
    this.#started = this.#startAll();
    await this.#started.catch((error: unknown) => {
      this.#started = undefined;
      throw error;
    });
  }

  async #startAll(): Promise<void> {
    for (const source of this.#sources) await source.start();
    await this.#holds.start();
    this.#evaluator.start();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#releases.stop();
    await this.#evaluator.close();
    await Promise.all(this.#sources.map((source) => source.close()));
    await Promise.all([...this.#changes.values(), this.#releases.ended()]);
    await this.#holds.close();
  }

  notify(): void {
    this.#evaluator.notify();
  }

  taskChanged(name: string): Promise<void> {
    const change = (this.#changes.get(name) ?? Promise.resolve()).then(() => this.#tellChange(name));
    this.#changes.set(name, change);
    void change.then(() => {
      if (this.#changes.get(name) === change) this.#changes.delete(name);
    });
    return change;
  }

  runEnded(run: Pick<RunRecord, 'id' | 'status' | 'request'>): Promise<void> {
    return this.#ended.runEnded(run);
  }

  async check(task: string): Promise<void> {
    const record = await this.#task(task);
    await Promise.all(this.#sources.map((source) => source.check(record)));
    this.notify();
    const pending = await this.#parts.store.events.pending(MOST_CHECKED);
    const late = AbortSignal.any([AbortSignal.timeout(CHECK_MS), this.#closing.signal]);
    await this.#evaluator.settled(
      pending.map(({ id }) => id),
      late,
    );
  }

  events(query: EventQuery): Promise<readonly TriggerEvent[]> {
    return this.#parts.store.events.list(query);
  }

  async event(id: string): Promise<{ readonly event: TriggerEvent; readonly decisions: readonly TriggerDecision[] }> {
    const { events } = this.#parts.store;
    const event = await events.get(id);
    if (event === undefined) throw new EngineError('not-found', `there is no event ${JSON.stringify(id.slice(0, 40))}`);
    return { event, decisions: await events.decisions({ event: id, limit: MOST_DECISIONS }) };
  }

  async replay(id: string): Promise<TriggerEvent> {
    const { event } = await this.event(id);
    const replayed = await replayEvent(this.#parts.store.events, event);
    this.notify();
    return (await this.event(replayed)).event;
  }

  async explainRun(id: string): Promise<RunExplanation> {
    const { store, clock } = this.#parts;
    return explainRun(store, await this.#run(id), clock.now());
  }

  async explainTask(name: string, decisions: number): Promise<TaskExplanation> {
    const { store, clock, secrets } = this.#parts;
    const record = await this.#task(name);
    const credentialOf = (registry: string): string => secrets.registryCredential(record, registry);
    return explainTask(store, record, { now: clock.now(), limit: decisions, credentialOf });
  }

  async approve(id: string, by: ApprovedBy, commit?: string): Promise<RunRecord> {
    const run = await this.#run(id);
    const head = await checkHead(this.#parts.store, run, (record) => this.#outside.headOf(record));
    return this.#parts.approveRun(id, by, commit ?? head);
  }

  idle(): Promise<void> {
    return this.#evaluator.idle();
  }

  async #task(name: string): Promise<TaskRecord> {
    const record = await this.#parts.store.tasks.get(name);
    if (record === undefined) throw new EngineError('not-found', `there is no task ${JSON.stringify(name.slice(0, 80))}`);
    return record;
  }

  async #run(id: string): Promise<RunRecord> {
    const run = await this.#parts.store.runs.get(id);
    if (run === undefined) throw new EngineError('not-found', `there is no run ${JSON.stringify(id.slice(0, 60))}`);
    return run;
  }

  /** A start reads every task. One that changes while it does is told of afterwards: what was read of it may be older. */
  async #tellChange(name: string): Promise<void> {
    const isStarted = await this.#started?.then(
      () => true,
      () => false,
    );
    if (isStarted !== true) return;
    try {
      const record = await this.#parts.store.tasks.get(name);
      const told = await Promise.allSettled(this.#sources.map((source) => source.taskChanged(name, record)));
      for (const one of told) if (one.status === 'rejected') throw one.reason;
    } catch (error) {
      this.#parts.onProblem(`the triggers of task ${name} could not be brought up to date`, error);
    }
  }
}

function mergeHandlers(all: readonly Handlers[]): Handlers {
  const kinds = all.flatMap((handlers) => Object.keys(handlers));
  const twice = kinds.find((kind, index) => kinds.indexOf(kind) !== index);
  if (twice !== undefined) throw new Error(`bug: two sources decide on events of kind ${twice}`);
  return Object.assign({}, ...all);
}
