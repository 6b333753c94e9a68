import type { TrustClass } from '../model/run-record.ts';
import type { LiveRun } from './live-run.ts';

/** What the active runs take of each limit. */
export class Usage {
  total = 0;
  background = 0;
  readonly #agents = new Map<string, number>();
  readonly #pools = new Map<string, number>();
  readonly #owners = new Map<string, number>();
  readonly #flows = new Map<string, number>();
  readonly #groups = new Map<string, Map<string, Member>>();
  readonly #tasks = new Map<string, Map<string, Member>>();
  readonly #suspects = new Set<string>();

  /** `agent` undefined: it counts everywhere but at an agent. */
  add(run: LiveRun, agent: string | undefined = run.agent): void {
    this.#count(run, agent, 1);
    const { id, trust, group, task, maxParallelRuns: limit = Number.POSITIVE_INFINITY } = run;
    if (group !== undefined) into(this.#groups, group.name).set(id, { limit: group.limit, trust });
    if (task !== undefined) into(this.#tasks, task).set(id, { limit, trust });
    if (run.crashes > 0 && run.phase !== 'running') this.#suspects.add(run.id);
  }

  remove(run: LiveRun): void {
    this.#count(run, run.agent, -1);
    if (run.group !== undefined) outOf(this.#groups, run.group.name, run.id);
    if (run.task !== undefined) outOf(this.#tasks, run.task, run.id);
    this.#suspects.delete(run.id);
  }

  agent(id: string): number {
    return this.#agents.get(id) ?? 0;
  }

  pool(name: string): number {
    return this.#pools.get(name) ?? 0;
  }

  owner(name: string): number {
    return this.#owners.get(name) ?? 0;
  }

  flow(key: string): number {
    return this.#flows.get(key) ?? 0;
  }

  /** Active runs of a group that count for a run of this trust, and the strictest limit among them. */
  group(name: string, trust: TrustClass): Share {
    return shareOf(this.#groups.get(name), trust);
  }

  task(name: string, trust: TrustClass): Share {
    return shareOf(this.#tasks.get(name), trust);
  }

  /** A run is being prepared whose agent was lost before while it prepared it. */
  get suspect(): string | undefined {
    return this.#suspects.values().next().value;
  }

  #count(run: LiveRun, agent: string | undefined, by: 1 | -1): void {
    this.total += by;
    if (run.background === true) this.background += by;
    if (agent !== undefined) bump(this.#agents, agent, by);
    bump(this.#pools, run.pool, by);
    bump(this.#owners, run.owner, by);
    bump(this.#flows, flowKeyOf(run), by);
  }
}

interface Member {
  readonly limit: number;
  readonly trust: TrustClass;
}

export interface Share {
  readonly runs: readonly string[];
  readonly limit: number;
}

/** Runs of one owner and one priority: first in, first out. */
export function flowKeyOf({ priority, owner }: LiveRun): string {
  return `${priority} ${owner}`;
}

const NOTHING: Share = { runs: [], limit: Number.POSITIVE_INFINITY };

/** Runs of untrusted code take no place of those of trusted code. */
function shareOf(members: ReadonlyMap<string, Member> | undefined, trust: TrustClass): Share {
  if (members === undefined) return NOTHING;
  const runs: string[] = [];
  let strictest = Number.POSITIVE_INFINITY;
  for (const [run, member] of members) {
    if (trust === 'trusted' && member.trust === 'untrusted') continue;
    runs.push(run);
    strictest = Math.min(strictest, member.limit);
  }
  return { runs, limit: strictest };
}

function into(maps: Map<string, Map<string, Member>>, key: string): Map<string, Member> {
  let map = maps.get(key);
  if (map === undefined) {
    map = new Map();
    maps.set(key, map);
  }
  return map;
}

function outOf(maps: Map<string, Map<string, Member>>, key: string, id: string): void {
  const map = maps.get(key);
  map?.delete(id);
  if (map?.size === 0) maps.delete(key);
}

function bump(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
