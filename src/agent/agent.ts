import type { Assignment } from '../model/ports/agent-channel.ts';
import { ActiveRun, ownerOf } from './active-run.ts';
import type { Agent, AgentDependencies } from './agent-options.ts';
import { tidyContexts } from './context-place.ts';
import { keepLeases, type Renewals } from './leases.ts';
import { runAttempt } from './run-attempt.ts';

/** How long one question for a run may wait, and how long to wait after one that failed. */
const CLAIM_WAIT_MS = 30_000;
const CLAIM_PAUSE_MS = 1000;
const DEFAULT_LEASE_MS = 15_000;

/** The agent of a daemon: takes as many runs as it has slots and carries them out. It knows the daemon by its channel only. */
export function createAgent(deps: AgentDependencies): Agent {
  const { channel, describe, clock, engine } = deps;
  /** Runs in hand, by id; an attempt stays until nothing of it goes on any more. */
  const active = new Map<string, ActiveRun>();
  /** Spaces that may be in the engine. */
  const live = new Set<string>();
  const claiming = new AbortController();
  const hurry = new AbortController();
  const over = new AbortController();
  let daemonId = '';
  let leaseMs = DEFAULT_LEASE_MS;
  let loops: Promise<unknown> = Promise.resolve();
  let drained: Promise<void> | undefined;
  let slotFreed = Promise.withResolvers<void>();
  let renewals: Renewals | undefined;

  function take(assignment: Assignment): void {
    const isShorter = assignment.leaseMs < leaseMs;
    leaseMs = assignment.leaseMs;
    if (isShorter) renewals?.wake();
    const before = active.get(assignment.run);
    const run = new ActiveRun(assignment, daemonId);
    active.set(assignment.run, run);
    live.add(run.spaceId);
    // A new attempt of a run whose old one still ends here waits for it: both are about the same things.
    before?.lose();
    run.ended = (before?.ended ?? Promise.resolve())
      .then(() => runAttempt(run, deps))
      .then(async (left) => {
        if (active.get(assignment.run) === run) {
          active.delete(assignment.run);
          if (left !== 'suspended') live.delete(run.spaceId);
        }
        slotFreed.resolve();
        slotFreed = Promise.withResolvers();
        if (left === 'leftovers' && !live.has(run.spaceId)) await collect();
      });
    if (hurry.signal.aborted) run.suspend();
  }

  /** Removes what runs have left in the engine that this agent does not hold. Never rejects. */
  async function collect(): Promise<void> {
    try {
      const things = await engine.collectRuns({ owner: ownerOf(daemonId), live: () => live, signal: over.signal });
      if (things.length > 0) deps.log('info', 'removed what runs had left in the engine', { things: things.length });
    } catch (error) {
      deps.log('warning', 'what runs left in the engine could not be removed', { error: messageOf(error) });
    }
  }

  async function claimLoop(): Promise<void> {
    const { signal } = claiming;
    signal.addEventListener('abort', () => slotFreed.resolve(), { once: true });
    while (!signal.aborted) {
      if (active.size >= describe.slots) {
        await slotFreed.promise;
        continue;
      }
      try {
        const assignment = await channel.claim(describe.id, { waitMs: CLAIM_WAIT_MS, signal });
        if (assignment !== undefined) take(assignment);
      } catch (error) {
        if (signal.aborted) return;
        deps.log('warning', 'no run could be claimed', { error: messageOf(error) });
        await clock.sleep(CLAIM_PAUSE_MS, signal);
      }
    }
  }

  async function start(signal: AbortSignal): Promise<void> {
    const { daemonId: id, held } = await channel.register(describe);
    daemonId = id;
    await tidyContexts(deps.workDirectory, new Set(held.map(({ run }) => run)));
    for (const assignment of held) take(assignment);
    renewals = keepLeases({ active, leaseMs: () => leaseMs, over: over.signal }, deps);
    loops = Promise.all([claimLoop(), renewals.ended, collect()]);
    if (signal.aborted) void stop();
    else signal.addEventListener('abort', () => void stop(), { once: true });
  }

  async function drainOnce(graceMs: number): Promise<void> {
    claiming.abort();
    const graceOver = new AbortController();
    const allEnded = async (): Promise<void> => {
      while (active.size > 0) await Promise.all([...active.values()].map((run) => run.ended));
    };
    const stopWaiting = AbortSignal.any([hurry.signal, graceOver.signal]);
    await Promise.race([allEnded(), clock.sleep(graceMs, stopWaiting)]);
    graceOver.abort();
    hurry.abort();
    for (const run of active.values()) run.suspend();
    await allEnded();
    over.abort();
    await loops;
    // The last question for a run may have been answered after all.
    await allEnded();
    await channel
      .leave(describe.id)
      .catch((error: unknown) => deps.log('warning', 'the daemon could not be told goodbye', { error: messageOf(error) }));
  }

  function drain({ graceMs }: { readonly graceMs: number }): Promise<void> {
    drained ??= drainOnce(graceMs);
    return drained;
  }

  function stop(): Promise<void> {
    hurry.abort();
    return drain({ graceMs: 0 });
  }

  return { start, drain, stop };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
