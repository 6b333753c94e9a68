import type { AgentDescription } from '../model/ports/agent-channel.ts';
import type { Clock } from '../model/ports/clock.ts';
import type { RunQueue, WaitingRun } from '../model/ports/run-queue.ts';
import type { Store } from '../model/ports/store.ts';
import type { RunRecord, TrustClass } from '../model/run-record.ts';
import type { QueueAgent, QueueLimits } from './admission.ts';
import { nextRun, type QueueView, waitingOrder } from './claim-policy.ts';
import { ownerOfTask } from './live-run.ts';
import { LiveRuns } from './live-runs.ts';

/** Where a pause is kept, so that it holds over a restart. */
const PAUSE_KEY = 'queue.paused';

const TRUST: readonly TrustClass[] = ['trusted', 'untrusted'];

/** An agent that has not asked for this long and has no run counts as gone for what waiting runs are told. */
const AGENT_FORGOTTEN_MS = 60_000;

/**
 * An order that took so long to work out is given again for a while, so that those who ask for it (every look at a run that waits) take a tenth
 * of the time at most: 15 ms with 10,000 waiting runs, kept for 0.14 s.
 */
const DEAR_MS = 2;
const KEPT_FACTOR = 9;

export interface InProcessQueueParts {
  readonly store: Pick<Store, 'settings'> & { readonly runs: Pick<Store['runs'], 'live' | 'claim'> };
  readonly clock: Clock;
  /** Read at each decision: may change while the daemon runs. */
  readonly limits: QueueLimits;
}

interface Pause {
  readonly reason: string;
  readonly since: string;
}

interface KnownAgent extends QueueAgent {
  /** Claims that wait right now. */
  waiting: number;
  lastSeenMs: number;
}

/**
 * A RunQueue for one process beside its store: the live runs are mirrored in memory, so a decision reads no database. A run is taken in the
 * mirror before it is claimed in the store: two that claim at once never pass a limit together. Nothing polls: whoever waits is woken by `notify`.
 */
export function createInProcessQueue(parts: InProcessQueueParts): RunQueue {
  return new InProcessQueue(parts);
}

class InProcessQueue implements RunQueue {
  readonly #parts: InProcessQueueParts;
  readonly #runs: LiveRuns;
  readonly #agents = new Map<string, KnownAgent>();
  readonly #wakers = new Set<() => void>();
  #pause: Promise<Pause | undefined> | undefined;
  /** The order of a long queue, as it was a moment ago. */
  #order: { readonly of: readonly WaitingRun[]; readonly untilMs: number } | undefined;
  #changes = 0;
  #closed = false;

  constructor(parts: InProcessQueueParts) {
    this.#parts = parts;
    this.#runs = new LiveRuns(parts.store.runs, () => parts.clock.now().getTime());
  }

  notify(changed?: RunRecord): void {
    if (changed === undefined) this.#runs.forget();
    else this.#runs.learn(changed);
    this.#wake();
  }

  async claim(
    agent: AgentDescription,
    { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal },
  ): Promise<RunRecord | undefined> {
    const known = this.#know(agent);
    const { clock } = this.#parts;
    known.waiting += 1;
    const deadlineMs = clock.monotonicMs() + waitMs;
    try {
      while (!this.#closed && !signal.aborted) {
        const seen = this.#changes;
        const taken = await this.#take(agent);
        if (taken !== undefined) return taken;
        const leftMs = deadlineMs - clock.monotonicMs();
        if (leftMs <= 0) return undefined;
        if (this.#changes === seen) await this.#changed(leftMs, signal);
      }
      return undefined;
    } finally {
      known.waiting -= 1;
      known.lastSeenMs = clock.monotonicMs();
    }
  }

  async waiting() {
    const { clock } = this.#parts;
    if (this.#order !== undefined && clock.monotonicMs() < this.#order.untilMs) return this.#order.of;
    const view = await this.#view();
    const startedMs = clock.monotonicMs();
    const order = waitingOrder(view);
    const endedMs = clock.monotonicMs();
    const tookMs = endedMs - startedMs;
    this.#order = tookMs < DEAR_MS ? undefined : { of: order, untilMs: endedMs + tookMs * KEPT_FACTOR };
    return order;
  }

  async group(name: string) {
    const book = await this.#runs.book();
    const members = [...book.runs()].filter(({ group }) => group?.name === name).sort((a, b) => a.number - b.number);
    return members.map(({ id, phase, trust, held }) => ({ run: id, queued: phase === 'queued', held: held !== undefined, trust }));
  }

  async queued({ task, trust }: { readonly task?: string; readonly trust?: TrustClass } = {}): Promise<number> {
    const book = await this.#runs.book();
    let count = 0;
    for (const each of trust === undefined ? TRUST : [trust])
      count += task === undefined ? book.queued(each) : book.queuedOf(ownerOfTask(task, each));
    return count;
  }

  async pause(reason: string): Promise<void> {
    const pause: Pause = { reason, since: this.#parts.clock.now().toISOString() };
    await this.#parts.store.settings.set(PAUSE_KEY, pause);
    this.#pause = Promise.resolve(pause);
  }

  async resume(): Promise<void> {
    await this.#parts.store.settings.set(PAUSE_KEY, null);
    this.#pause = Promise.resolve(undefined);
    this.#wake();
  }

  async state() {
    const [book, pause] = await Promise.all([this.#runs.book(), this.#paused()]);
    return { paused: pause !== undefined, ...pause, queued: book.queued(), running: book.active };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
  }

  /** Takes in the mirror at once, then in the store; what was taken there by somebody else makes the mirror read anew. */
  async #take(agent: QueueAgent): Promise<RunRecord | undefined> {
    for (;;) {
      const view = await this.#view();
      if (this.#closed) return undefined;
      const run = nextRun(view, agent);
      if (run === undefined) return undefined;
      const release = this.#runs.reserve(run, agent.id);
      let record: RunRecord | undefined;
      try {
        record = await this.#parts.store.runs.claim(run.id, { agent: agent.id, from: run.attempt });
      } catch (error) {
        release();
        throw error;
      }
      if (record !== undefined) {
        this.#runs.learn(record);
        return record;
      }
      release();
      this.#runs.forget();
    }
  }

  async #view(): Promise<QueueView> {
    const [book, pause] = await Promise.all([this.#runs.book(), this.#paused()]);
    const { limits, clock } = this.#parts;
    const view = { book, limits, agents: this.#present(book.usage.agent.bind(book.usage)), nowMs: clock.now().getTime() };
    return pause === undefined ? view : { ...view, paused: pause.reason };
  }

  #know({ id, pool, slots }: AgentDescription): KnownAgent {
    const lastSeenMs = this.#parts.clock.monotonicMs();
    const known = this.#agents.get(id) ?? { id, pool, slots, waiting: 0, lastSeenMs };
    Object.assign(known, { pool, slots, lastSeenMs });
    this.#agents.set(id, known);
    return known;
  }

  #present(activeOf: (agent: string) => number): readonly QueueAgent[] {
    const now = this.#parts.clock.monotonicMs();
    for (const [id, agent] of this.#agents) {
      if (agent.waiting === 0 && activeOf(id) === 0 && now - agent.lastSeenMs > AGENT_FORGOTTEN_MS) this.#agents.delete(id);
    }
    return [...this.#agents.values()];
  }

  #paused(): Promise<Pause | undefined> {
    this.#pause ??= this.#parts.store.settings.get(PAUSE_KEY).then(
      (value) => (isPause(value) ? value : undefined),
      (error: unknown) => {
        this.#pause = undefined;
        throw error;
      },
    );
    return this.#pause;
  }

  /** Resolves at the next change, after `ms`, or when `signal` aborts. */
  async #changed(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    this.#wakers.add(wake);
    await this.#parts.clock.sleep(ms, AbortSignal.any([signal, woken.signal]));
    this.#wakers.delete(wake);
  }

  #wake(): void {
    this.#changes += 1;
    for (const wake of this.#wakers) wake();
  }
}

function isPause(value: unknown): value is Pause {
  return typeof value === 'object' && value !== null && 'reason' in value && typeof value.reason === 'string' && 'since' in value;
}
