import type { WaitingRun } from '../model/ports/run-queue.ts';
import { Admission, agedPriority, capacityRefusal, type QueueAgent, type QueueLimits, type Refusal } from './admission.ts';
import type { LiveRun } from './live-run.ts';
import { type Flow, QueueBook } from './queue-book.ts';
import { Usage } from './usage.ts';

/** The world as the decision sees it. */
export interface QueueView {
  readonly book: QueueBook;
  readonly agents: readonly QueueAgent[];
  readonly limits: QueueLimits;
  /** Why nothing starts. */
  readonly paused?: string;
  readonly nowMs: number;
}

/**
 * Who goes before whom:
 *
 * 1. the larger priority, where the run that would be a flow's next rises by a point for each 30 s in which its flow (one owner, one
 *    priority) had nothing running;
 * 2. trusted code before untrusted code;
 * 3. the owner that has fewer runs active, then the one that was served longer ago: an owner with ten thousand waiting runs delays the single
 *    run of another by one turn;
 * 4. the run that was created first.
 *
 * Only the next run of a flow ages, and only while the flow gets nothing, so a flood does not lift itself above what comes later.
 */
interface Rank {
  readonly priority: number;
  /** 0 for trusted code. */
  readonly distrust: 0 | 1;
  readonly round: number;
  readonly served: number;
  readonly number: number;
}

function before(a: Rank, b: Rank): number {
  return b.priority - a.priority || a.distrust - b.distrust || a.round - b.round || a.served - b.served || a.number - b.number;
}

/** The run that this agent should take now. Changes nothing; O(waiting runs) at worst, O(flows) when nothing is blocked. */
export function nextRun(view: QueueView, agent: QueueAgent): LiveRun | undefined {
  const { book, limits } = view;
  const { usage } = book;
  if (view.paused !== undefined || usage.agent(agent.id) >= agent.slots) return undefined;
  if (capacityRefusal(agent.pool, usage, limits) !== undefined) return undefined;
  const admission = new Admission(book, view);
  let best: LiveRun | undefined;
  let bestRank: Rank | undefined;
  for (const flow of book.flows.values()) {
    const run = flow.runs.find((candidate) => candidate.pool === agent.pool && admission.refusal(candidate) === undefined);
    if (run === undefined) continue;
    const rank = rankOf(view, flow, run, 0);
    if (bestRank !== undefined && before(rank, bestRank) >= 0) continue;
    best = run;
    bestRank = rank;
  }
  return best;
}

/** Every waiting run in the order in which they would start if each ran equally long, and what it waits for; held ones last, without a position. O(n log n). */
export function waitingOrder(view: QueueView): readonly WaitingRun[] {
  const { book, nowMs } = view;
  const admission = new Admission(book, view);
  const ranked: { readonly run: LiveRun; readonly rank: Rank }[] = [];
  for (const flow of book.flows.values()) {
    const leader = flow.runs.find((run) => admission.refusal(run) === undefined) ?? flow.runs[0];
    let turn = 0;
    for (const run of flow.runs) {
      if (run !== leader) turn += 1;
      ranked.push({ run, rank: rankOf(view, flow, run, run === leader ? 0 : turn) });
    }
  }
  ranked.sort((a, b) => before(a.rank, b.rank));
  const explain = explainer(view, admission);
  const held = [...book.held.values()].sort((a, b) => a.number - b.number);
  const queuedMs = ({ createdMs }: LiveRun): number => Math.max(0, nowMs - createdMs);
  return [
    ...ranked.map(({ run }, index) => ({ run: run.id, position: index + 1, ...explain(run), queuedMs: queuedMs(run) })),
    ...held.map((run) => ({
      ...{ run: run.id, reason: run.approval === true ? ('approval' as const) : ('held' as const), because: run.held ?? '' },
      queuedMs: queuedMs(run),
    })),
  ];
}

function rankOf({ book, nowMs }: QueueView, flow: Flow, run: LiveRun, turn: number): Rank {
  const priority = turn === 0 ? agedPriority(flow.priority, book.idleSinceMs(flow, run, nowMs), nowMs) : flow.priority;
  const distrust = run.trust === 'trusted' ? 0 : 1;
  return { priority, distrust, round: book.usage.owner(flow.owner) + turn, served: book.served(flow.owner), number: run.number };
}

/** Says of each run, asked in order, what it waits for: those asked before take their places first. */
function explainer(view: QueueView, admission: Admission): (run: LiveRun) => Refusal {
  const usage = new Usage();
  for (const run of view.book.runs()) if (run.phase !== 'queued') usage.add(run);
  const simulated = new Admission(view.book, view, usage);
  const pools = Map.groupBy(view.agents, ({ pool }) => pool);
  return (run) => {
    if (view.paused !== undefined) return { reason: 'paused', because: `the queue is paused: ${view.paused}` };
    const agents = pools.get(run.pool);
    if (agents === undefined) return { reason: 'no-agent', because: `no agent of pool "${run.pool}" is connected` };
    const refusal = admission.refusal(run) ?? simulated.refusal(run) ?? capacityRefusal(run.pool, usage, view.limits);
    if (refusal !== undefined) return refusal;
    const agent = agents.find(({ id, slots }) => usage.agent(id) < slots);
    if (agent === undefined) return { reason: 'agent-busy', because: `every agent of pool "${run.pool}" has as many runs as it takes` };
    usage.add(run, agent.id);
    return { reason: 'starting', because: 'starts as soon as the agent asks for it' };
  };
}

/** What a decision over plain data needs, for callers that keep no book. */
export interface QueueInput extends Omit<QueueView, 'book'> {
  readonly runs: readonly LiveRun[];
}

/** The decision as a pure function of the live runs. Nobody has been served before. */
export function decideQueue(input: QueueInput): {
  readonly order: readonly WaitingRun[];
  next(agent: QueueAgent): string | undefined;
} {
  const book = new QueueBook();
  for (const run of input.runs) book.put(run, input.nowMs);
  const view: QueueView = { ...input, book };
  return { order: waitingOrder(view), next: (agent) => nextRun(view, agent)?.id };
}
