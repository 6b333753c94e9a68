import type { WaitReason } from '../model/ports/run-queue.ts';
import type { LiveRun } from './live-run.ts';
import type { QueueBook } from './queue-book.ts';
import type { Usage } from './usage.ts';

/** An agent as the queue sees it. */
export interface QueueAgent {
  readonly id: string;
  readonly pool: string;
  /** Most runs at once. */
  readonly slots: number;
}

/** What an admin sets: most runs at once, on the daemon and per pool. */
export interface QueueLimits {
  readonly maxRunning: number;
  readonly pools: Readonly<Record<string, number>>;
  /** Most runs at once that no person or commit asked for (base images); no limit unless given. */
  readonly maxBackground?: number;
}

export interface Refusal {
  readonly reason: WaitReason;
  readonly because: string;
}

/**
 * A waiting run rises by one point of priority for each 30 s. Alone a hundred points of difference last 50 minutes, and the whole range
 * (-100 to 100) 100 minutes: nothing waits for ever behind a stream of more urgent runs.
 */
export const AGING_STEP_MS = 30_000;

export function agedPriority(priority: number, sinceMs: number, nowMs: number): number {
  return priority + Math.max(0, Math.floor((nowMs - sinceMs) / AGING_STEP_MS));
}

/** Whether a run may start by the limits that do not depend on an agent: its group, its task, the cap of its kind, and its being tried alone. */
export class Admission {
  readonly #book: QueueBook;
  readonly #usage: Usage;
  readonly #nowMs: number;
  readonly #pools: ReadonlySet<string>;
  readonly #maxBackground: number;
  readonly #firstOfGroup = new Map<string, LiveRun | undefined>();
  readonly #limitsOfOwner = new Map<string, Map<number, number>>();

  constructor(
    book: QueueBook,
    { agents, nowMs, limits }: { readonly agents: readonly QueueAgent[]; readonly nowMs: number; readonly limits: QueueLimits },
    usage: Usage = book.usage,
  ) {
    this.#book = book;
    this.#usage = usage;
    this.#nowMs = nowMs;
    this.#pools = new Set(agents.map(({ pool }) => pool));
    this.#maxBackground = limits.maxBackground ?? Number.POSITIVE_INFINITY;
  }

  refusal(run: LiveRun): Refusal | undefined {
    return this.#byGroup(run) ?? this.#byTask(run) ?? this.#byBackground(run) ?? this.#bySuspicion(run);
  }

  /**
   * A group takes its waiting runs strictly in the order of their aged priority, then of their age, whatever their tasks: the first holds its
   * place also while something else keeps it (so that nobody is overtaken for ever), unless no agent could take it at all. Untrusted runs come last.
   */
  #byGroup(run: LiveRun): Refusal | undefined {
    if (run.group === undefined) return undefined;
    const { name, limit } = run.group;
    const share = this.#usage.group(name, run.trust);
    const strictest = Math.min(limit, share.limit);
    if (share.runs.length >= strictest)
      return { reason: 'group-full', because: `${taken(share.runs, strictest)} of concurrency group "${name}" at once` };
    const first = this.#firstOf(name);
    if (first === undefined || first === run || this.#usage !== this.#book.usage) return undefined;
    return { reason: 'group-full', because: `${first.id} of concurrency group "${name}" comes first` };
  }

  /** The strictest limit among the runs that are active, this one and those that wait since longer (which would else be overtaken for ever). */
  #byTask(run: LiveRun): Refusal | undefined {
    if (run.task === undefined) return undefined;
    const share = this.#usage.task(run.task, run.trust);
    let strictest = Math.min(run.maxParallelRuns ?? Number.POSITIVE_INFINITY, share.limit);
    for (const [limit, number] of this.#waitingLimits(run.owner)) if (number < run.number) strictest = Math.min(strictest, limit);
    if (share.runs.length < strictest) return undefined;
    return { reason: 'task-limit', because: `${taken(share.runs, strictest)} of task "${run.task}" at once` };
  }

  #byBackground(run: LiveRun): Refusal | undefined {
    if (run.background !== true || this.#usage.background < this.#maxBackground) return undefined;
    return { reason: 'daemon-full', because: `the daemon rebuilds for base images in at most ${runs(this.#maxBackground)} at once` };
  }

  /** A run whose agent was lost while it prepared it is tried without another such run beside it: so it is known which one breaks agents. */
  #bySuspicion(run: LiveRun): Refusal | undefined {
    const { suspect } = this.#usage;
    if (run.crashes === 0 || suspect === undefined) return undefined;
    return {
      reason: 'starting',
      because: `its agent was lost while preparing it: it is tried again, alone, after ${suspect} has been prepared`,
    };
  }

  #firstOf(group: string): LiveRun | undefined {
    if (this.#firstOfGroup.has(group)) return this.#firstOfGroup.get(group);
    let first: LiveRun | undefined;
    let firstPriority = 0;
    for (const run of this.#book.queuedByGroup.get(group)?.values() ?? []) {
      if (!this.#pools.has(run.pool)) continue;
      const priority = agedPriority(run.priority, run.createdMs, this.#nowMs);
      if (first !== undefined && !isBefore(run, priority, first, firstPriority)) continue;
      first = run;
      firstPriority = priority;
    }
    this.#firstOfGroup.set(group, first);
    return first;
  }

  /** The limits that waiting runs of an owner have, each with the number of the oldest run that has it. */
  #waitingLimits(owner: string): ReadonlyMap<number, number> {
    let limits = this.#limitsOfOwner.get(owner);
    if (limits !== undefined) return limits;
    limits = new Map<number, number>();
    for (const { maxParallelRuns, number } of this.#book.waitingOf(owner)) {
      if (maxParallelRuns !== undefined && number < (limits.get(maxParallelRuns) ?? Number.POSITIVE_INFINITY))
        limits.set(maxParallelRuns, number);
    }
    this.#limitsOfOwner.set(owner, limits);
    return limits;
  }
}

/** By trust, priority and age. */
function isBefore(run: LiveRun, priority: number, other: LiveRun, otherPriority: number): boolean {
  if (run.trust !== other.trust) return run.trust === 'trusted';
  return priority === otherPriority ? run.number < other.number : priority > otherPriority;
}

/** Why this agent, or the daemon, takes nothing more for the pool. */
export function capacityRefusal(pool: string, usage: Usage, limits: QueueLimits): Refusal | undefined {
  if (usage.total >= limits.maxRunning)
    return { reason: 'daemon-full', because: `the daemon runs at most ${runs(limits.maxRunning)} at once` };
  const most = Object.hasOwn(limits.pools, pool) ? limits.pools[pool] : undefined;
  if (most === undefined || usage.pool(pool) < most) return undefined;
  return { reason: 'daemon-full', because: `pool "${pool}" runs at most ${runs(most)} at once` };
}

function taken(active: readonly string[], limit: number): string {
  const shown = active.slice(0, 3).join(', ');
  const more = active.length > 3 ? ` and ${active.length - 3} more` : '';
  return `waits for ${shown}${more}: at most ${runs(limit)}`;
}

function runs(count: number): string {
  return count === 1 ? '1 run' : `${count} runs`;
}
