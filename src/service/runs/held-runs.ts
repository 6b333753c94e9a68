import { EngineError } from '../../model/engine-error.ts';
import type { Assignment, Lease } from '../../model/ports/agent-channel.ts';
import type { LogStore } from '../../model/ports/log-store.ts';
import type { RunRecord } from '../../model/run-record.ts';
import { HeldRun } from './held-run.ts';
import type { LeaseKeeper } from './lease-keeper.ts';

/** The runs that agents have, each under its lease. */
export class HeldRuns {
  readonly #leases: LeaseKeeper;
  readonly #logs: LogStore;
  readonly #leaseMs: number;
  /** Asked while the run was between the queue and its lease. */
  readonly #cancels = new Map<string, { readonly reason: string }>();

  constructor({ leases, logs, leaseMs }: { readonly leases: LeaseKeeper; readonly logs: LogStore; readonly leaseMs: number }) {
    this.#leases = leases;
    this.#logs = logs;
    this.#leaseMs = leaseMs;
  }

  hold(record: RunRecord, resumed: boolean): HeldRun {
    const logs = this.#logs;
    const held = new HeldRun(record, { agent: record.agent ?? '', logs, expiresAtMs: this.#leases.expiry(), resumed });
    const asked = this.#cancels.get(record.id);
    this.#cancels.delete(record.id);
    held.cancel ??= asked;
    this.#leases.add(held);
    return held;
  }

  letGo(held: HeldRun): void {
    this.#leases.remove(held);
    this.#cancels.delete(held.run);
  }

  /** The run is to end as soon as somebody holds it. */
  cancelLater(run: string, cancel: { readonly reason: string }): void {
    this.#cancels.set(run, cancel);
  }

  /** What its agent is given. */
  assignment(held: HeldRun): Assignment {
    const { request, createTime } = held.record;
    const cancel = held.cancel === undefined ? {} : { cancel: { reason: held.cancel.reason } };
    return { ...held.lease, leaseMs: this.#leaseMs, request, createTime, ...cancel };
  }

  /** Undefined when somebody else, or nobody, has the run. */
  find({ run, attempt }: Lease): HeldRun | undefined {
    const held = this.#leases.get(run);
    return held?.attempt === attempt ? held : undefined;
  }

  /** Who has the lease, also past its expiry while nobody else has taken the run. Throws EngineError `stale-attempt` otherwise. */
  holder(lease: Lease): HeldRun {
    const held = this.#leases.get(lease.run);
    if (held === undefined || held.attempt !== lease.attempt) throw staleLease(lease);
    return held;
  }

  async write<Value>(lease: Lease, work: (held: HeldRun) => Promise<Value>): Promise<Value> {
    const held = this.holder(lease);
    return held.inTurn(() => work(this.holder(lease)));
  }

  /** The store knows better: the lease is no more. */
  fenced(held: HeldRun): EngineError {
    this.letGo(held);
    return staleLease(held.lease);
  }
}

/** The error of who comes with a lease that is over. */
export function staleLease({ run, attempt }: Lease): EngineError {
  return new EngineError('stale-attempt', `attempt ${attempt} of run ${run} is over: the run was taken over, given back or has ended`);
}
