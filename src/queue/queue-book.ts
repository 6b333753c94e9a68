import type { TrustClass } from '../model/run-record.ts';
import type { LiveRun } from './live-run.ts';
import { flowKeyOf, Usage } from './usage.ts';

/** The waiting runs of one owner and priority. */
export interface Flow {
  readonly key: string;
  readonly owner: string;
  readonly priority: number;
  /** By number, ascending. */
  readonly runs: LiveRun[];
}

/**
 * All live runs, indexed for the decision, and what fairness remembers: when each owner was served last, and since when a flow has had
 * nothing running. Every change costs O(log n) besides the moving of an array's tail.
 */
export class QueueBook {
  readonly usage = new Usage();
  readonly flows = new Map<string, Flow>();
  readonly queuedByGroup = new Map<string, Map<string, LiveRun>>();
  /** Waiting runs that are not to be claimed yet: in no flow and in no group's order, so that they keep nobody. */
  readonly held = new Map<string, LiveRun>();
  readonly #heldByOwner = new Map<string, number>();
  readonly #runs = new Map<string, LiveRun>();
  readonly #flowsOfOwner = new Map<string, Set<Flow>>();
  readonly #served = new Map<string, number>();
  readonly #idleSinceMs = new Map<string, number>();
  #servings = 0;
  readonly #queued: Record<TrustClass, number> = { trusted: 0, untrusted: 0 };

  /** How many wait, held ones included. */
  queued(trust?: TrustClass): number {
    return trust === undefined ? this.#queued.trusted + this.#queued.untrusted : this.#queued[trust];
  }

  get active(): number {
    return this.usage.total;
  }

  get(id: string): LiveRun | undefined {
    return this.#runs.get(id);
  }

  runs(): IterableIterator<LiveRun> {
    return this.#runs.values();
  }

  /** Adds a run, or replaces what was known of it. */
  put(run: LiveRun, nowMs: number): void {
    const known = this.#runs.get(run.id);
    if (known !== undefined && known.phase !== 'queued' && run.phase !== 'queued') {
      this.usage.remove(known);
      this.usage.add(run);
    } else {
      this.remove(run.id, nowMs);
      if (run.phase === 'queued') this.#enqueue(run);
      else this.#activate(run, known?.phase === 'queued');
    }
    this.#runs.set(run.id, run);
  }

  remove(id: string, nowMs: number): void {
    const run = this.#runs.get(id);
    if (run === undefined) return;
    this.#runs.delete(id);
    if (run.phase === 'queued') this.#dequeue(run);
    else this.#deactivate(run, nowMs);
  }

  /** Larger: served later. 0 for an owner that was not served since the start. */
  served(owner: string): number {
    return this.#served.get(owner) ?? 0;
  }

  /** Since when the flow waits without any of its runs being active. */
  idleSinceMs(flow: Flow, head: LiveRun, nowMs: number): number {
    if (this.usage.flow(flow.key) > 0) return nowMs;
    return Math.max(head.createdMs, this.#idleSinceMs.get(flow.key) ?? 0);
  }

  *waitingOf(owner: string): IterableIterator<LiveRun> {
    for (const flow of this.#flowsOfOwner.get(owner) ?? []) yield* flow.runs;
  }

  queuedOf(owner: string): number {
    let count = 0;
    for (const flow of this.#flowsOfOwner.get(owner) ?? []) count += flow.runs.length;
    return count + (this.#heldByOwner.get(owner) ?? 0);
  }

  #enqueue(run: LiveRun): void {
    this.#queued[run.trust] += 1;
    if (run.held !== undefined) {
      this.held.set(run.id, run);
      this.#heldByOwner.set(run.owner, (this.#heldByOwner.get(run.owner) ?? 0) + 1);
      return;
    }
    const { runs } = this.#flowOf(run);
    runs.splice(placeOf(runs, run.number), 0, run);
    if (run.group === undefined) return;
    const members = this.queuedByGroup.get(run.group.name);
    if (members === undefined) this.queuedByGroup.set(run.group.name, new Map([[run.id, run]]));
    else members.set(run.id, run);
  }

  #dequeue(run: LiveRun): void {
    this.#queued[run.trust] -= 1;
    if (this.held.delete(run.id)) {
      const left = (this.#heldByOwner.get(run.owner) ?? 1) - 1;
      if (left === 0) this.#heldByOwner.delete(run.owner);
      else this.#heldByOwner.set(run.owner, left);
      return;
    }
    const flow = this.#flowOf(run);
    flow.runs.splice(placeOf(flow.runs, run.number), 1);
    if (flow.runs.length === 0) this.#dropFlow(flow);
    if (run.group === undefined) return;
    const members = this.queuedByGroup.get(run.group.name);
    members?.delete(run.id);
    if (members?.size === 0) this.queuedByGroup.delete(run.group.name);
  }

  #activate(run: LiveRun, wasQueued: boolean): void {
    this.usage.add(run);
    if (!wasQueued) return;
    this.#servings += 1;
    this.#served.set(run.owner, this.#servings);
  }

  #deactivate(run: LiveRun, nowMs: number): void {
    this.usage.remove(run);
    const key = flowKeyOf(run);
    if (this.usage.flow(key) === 0 && this.flows.has(key)) this.#idleSinceMs.set(key, nowMs);
    this.#forgetOwner(run.owner);
  }

  #flowOf(run: LiveRun): Flow {
    const key = flowKeyOf(run);
    let flow = this.flows.get(key);
    if (flow === undefined) {
      flow = { key, owner: run.owner, priority: run.priority, runs: [] };
      this.flows.set(key, flow);
      const flows = this.#flowsOfOwner.get(run.owner);
      if (flows === undefined) this.#flowsOfOwner.set(run.owner, new Set([flow]));
      else flows.add(flow);
    }
    return flow;
  }

  #dropFlow(flow: Flow): void {
    this.flows.delete(flow.key);
    this.#idleSinceMs.delete(flow.key);
    const flows = this.#flowsOfOwner.get(flow.owner);
    flows?.delete(flow);
    if (flows?.size === 0) this.#flowsOfOwner.delete(flow.owner);
    this.#forgetOwner(flow.owner);
  }

  /** An owner with nothing waiting and nothing active is a new one when it comes back. */
  #forgetOwner(owner: string): void {
    if (!this.#flowsOfOwner.has(owner) && this.usage.owner(owner) === 0) this.#served.delete(owner);
  }
}

/** Where a run of this number stands or would stand. */
function placeOf(runs: readonly LiveRun[], number: number): number {
  let low = 0;
  let high = runs.length;
  if (high > 0 && (runs[high - 1] as LiveRun).number < number) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((runs[middle] as LiveRun).number < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
