import type { ActiveRun } from './active-run.ts';
import type { AgentDependencies } from './agent-options.ts';

/** Renewals within one lease, so that one that fails is no loss. */
const RENEWALS = 3;
/** Leases without a renewal after which a run counts as lost: somebody else may have it by now. */
const PATIENCE = 2;

interface Held {
  readonly active: ReadonlyMap<string, ActiveRun>;
  leaseMs(): number;
  /** Settles when leases are shorter than they were. */
  shortened(): Promise<void>;
  readonly over: AbortSignal;
}

/**
 * Renews the leases of the runs in hand until `over`, at once when the daemon has news, and passes on what it answers: runs to cancel, leases
 * that are lost. Without an answer for two leases every run is given up (its containers are killed). Never rejects.
 */
export async function keepLeases(
  { active, leaseMs, shortened, over }: Held,
  { channel, clock, describe, log }: AgentDependencies,
): Promise<void> {
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

  async function nextRenewal(): Promise<void> {
    const waited = new AbortController();
    const signal = AbortSignal.any([over, waited.signal]);
    const slept = clock.sleep(leaseMs() / RENEWALS, signal);
    // A daemon that cannot be asked for news is asked again with the next renewal.
    const news = channel.nudged(describe.id, signal).catch(() => slept);
    await Promise.race([slept, news, shortened()]);
    waited.abort();
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
}
