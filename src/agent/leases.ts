import type { ActiveRun } from './active-run.ts';
import type { AgentDependencies } from './agent-options.ts';

/** Renewals within one lease, so that one that fails is no loss. */
const RENEWALS = 3;
/** Leases without a renewal after which a run counts as lost: somebody else may have it by now. */
const PATIENCE = 2;

interface Held {
  readonly active: ReadonlyMap<string, ActiveRun>;
  leaseMs(): number;
  readonly over: AbortSignal;
}

/** The renewals under way. */
export interface Renewals {
  /** Renews now: leases are shorter than they were. */
  wake(): void;
  /** Settles when they have ended; never rejects. */
  readonly ended: Promise<void>;
}

/**
 * Renews the leases of the runs in hand until `over`, at once when the daemon has news, and passes on what it answers: runs to cancel, leases
 * that are lost. Without an answer for two leases every run is given up (its containers are killed).
 */
export function keepLeases({ active, leaseMs, over }: Held, { channel, clock, describe, log }: AgentDependencies): Renewals {
  let waiting = new AbortController();

  async function keep(): Promise<void> {
    let answeredMs = clock.monotonicMs();
    while (!over.aborted) {
      await nextRenewal();
      if (over.aborted) return;
      try {
        await renew();
        answeredMs = clock.monotonicMs();
      } catch (error) {
        log('warning', 'leases could not be renewed', { error: error instanceof Error ? error.message : String(error) });
        if (active.size === 0) answeredMs = clock.monotonicMs();
        else if (clock.monotonicMs() - answeredMs >= PATIENCE * leaseMs()) for (const run of active.values()) run.lose();
      }
    }
  }

  async function nextRenewal(): Promise<void> {
    waiting = new AbortController();
    const signal = AbortSignal.any([over, waiting.signal]);
    const slept = clock.sleep(leaseMs() / RENEWALS, signal);
    // A daemon that cannot be asked for news is asked again with the next renewal.
    const news = channel.nudged(describe.id, signal).catch(() => slept);
    await Promise.race([slept, news]);
    waiting.abort();
  }

  async function renew(): Promise<void> {
    const runs = new Map([...active.values()].map((run) => [`${run.lease.run}/${run.lease.attempt}`, run]));
    const { cancel, lost } = await channel.renew(
      describe.id,
      [...runs.values()].map(({ lease }) => lease),
    );
    for (const { run, attempt, reason } of cancel) runs.get(`${run}/${attempt}`)?.cancel(reason);
    for (const { run, attempt } of lost) runs.get(`${run}/${attempt}`)?.lose();
  }

  return { wake: () => waiting.abort(), ended: keep() };
}
