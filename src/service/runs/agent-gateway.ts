import { EngineError } from '../../model/engine-error.ts';
import type {
  AgentChannel,
  AgentDescription,
  AgentOutcome,
  Assignment,
  Lease,
  ResolvedSecrets,
  SecretsWanted,
} from '../../model/ports/agent-channel.ts';
import type { Clock } from '../../model/ports/clock.ts';
import type { LogChunk } from '../../model/ports/log-store.ts';
import type { SecretBox } from '../../model/ports/secret-box.ts';
import type { Store } from '../../model/ports/store.ts';
import type { UploadStore } from '../../model/ports/upload-store.ts';
import type { RunEvent } from '../../model/run-event.ts';
import type { RunRecord } from '../../model/run-record.ts';
import { isTerminal } from '../../model/run-record.ts';
import type { SecretService } from '../security/secret-service.ts';
import { AgentRoll, type AgentStatus } from './agent-roll.ts';
import type { HeldRun } from './held-run.ts';
import { HeldRuns, staleLease } from './held-runs.ts';
import { GONE_MS, LEASE_MS, LeaseKeeper, type LeaseTimes } from './lease-keeper.ts';
import { dealWithLost, hasLeft, rememberLeft, stillHeld } from './lost-runs.ts';
import type { Planned } from './run-checkpoint.ts';
import { type EndingParts, releaseRun, tellChange } from './run-endings.ts';
import { RunNews } from './run-news.ts';
import { RunProgress } from './run-progress.ts';
import { endedSteps, hasBegun } from './run-projection.ts';
import { fetchTokenOf, resolveRequestSecrets } from './run-secrets.ts';
import { takeUpRun } from './take-up-run.ts';

export interface AgentGatewayParts extends EndingParts, Partial<LeaseTimes> {
  readonly store: Store;
  readonly uploads: Pick<UploadStore, 'open'>;
  readonly box: SecretBox;
  readonly secrets: Pick<SecretService, 'resolveNamed'>;
  readonly clock: Clock;
  readonly daemonId: string;
  /** Something that nobody waits for went wrong (the store failed while a lost run was dealt with): for the daemon's own log. */
  onProblem(run: string, error: unknown): void;
}

/** The side of the daemon that agents speak to. */
export interface AgentGateway extends AgentChannel {
  /** Takes over what an earlier process left: its runs wait for their agents. Call once, before agents register. */
  start(): Promise<void>;
  /** The run is to end: its agent is told at once; when that one is lost, the run ends here. */
  cancelRequested(record: RunRecord): Promise<void>;
  agents(): readonly AgentStatus[];
  /** Ends the watch over leases. Runs stay as they are. */
  close(): Promise<void>;
}

export function createAgentGateway(parts: AgentGatewayParts): AgentGateway {
  return new Gateway(parts);
}

class Gateway implements AgentGateway {
  readonly #parts: AgentGatewayParts;
  readonly #roll: AgentRoll;
  readonly #leases: LeaseKeeper;
  readonly #news: RunNews;
  readonly #held: HeldRuns;
  readonly #progress: RunProgress;

  constructor(parts: AgentGatewayParts) {
    this.#parts = parts;
    const leaseMs = parts.leaseMs ?? LEASE_MS;
    this.#roll = new AgentRoll(parts.clock);
    this.#news = new RunNews(parts.hub);
    this.#leases = new LeaseKeeper({
      clock: parts.clock,
      leaseMs,
      goneMs: parts.goneMs ?? GONE_MS,
      onExpired: (held) => this.#onExpired(held),
      onGone: (held) => this.#endLost(held),
      onProblem: parts.onProblem,
    });
    this.#held = new HeldRuns({ leases: this.#leases, logs: parts.logs, leaseMs });
    this.#progress = new RunProgress({ ...parts, held: this.#held, news: this.#news });
  }

  async start(): Promise<void> {
    for (const record of await this.#parts.store.runs.live()) {
      if (record.status !== 'Queued') this.#held.hold(record, true);
    }
  }

  async register(agent: AgentDescription): Promise<{ readonly daemonId: string; readonly held: readonly Assignment[] }> {
    const { store, daemonId } = this.#parts;
    const leftInPeace = await hasLeft(store.settings, agent.id);
    this.#roll.register(agent);
    const before = (await store.runs.live()).filter((record) => record.agent === agent.id && record.status !== 'Queued');
    const parts = { ...this.#parts, leases: this.#leases, held: this.#held };
    // Side by side: they share the transactions of the store.
    const taken = await Promise.all(before.map((record) => takeUpRun(parts, record, { agent: agent.id, leftInPeace })));
    const held = taken.filter((assignment) => assignment !== undefined);
    if (leftInPeace) await rememberLeft(store.settings, agent.id, false);
    return { daemonId, held };
  }

  async claim(agent: string, options: { readonly waitMs: number; readonly signal: AbortSignal }): Promise<Assignment | undefined> {
    const description = this.#roll.seen(agent);
    if (description === undefined) throw new EngineError('conflict', `agent ${JSON.stringify(agent)} has not registered, or has left`);
    const record = await this.#parts.queue.claim(description, options);
    if (record === undefined) return undefined;
    const held = this.#held.hold(record, false);
    this.#news.status(held);
    return this.#held.assignment(held);
  }

  async renew(agent: string, leases: readonly Lease[]) {
    this.#roll.seen(agent);
    const lost: Lease[] = [];
    const cancel: (Lease & { readonly reason: string })[] = [];
    for (const lease of leases) {
      const held = this.#leases.get(lease.run);
      if (held === undefined || held.agent !== agent || held.attempt !== lease.attempt) {
        lost.push(lease);
        continue;
      }
      this.#leases.renew(held);
      if (held.cancel !== undefined) cancel.push({ ...held.lease, reason: held.cancel.reason });
    }
    return { cancel, lost };
  }

  nudged(agent: string, signal: AbortSignal): Promise<void> {
    return this.#roll.nudged(agent, signal);
  }

  report(lease: Lease, events: readonly RunEvent[]): Promise<void> {
    return this.#held.write(lease, (held) => this.#progress.store(held, events));
  }

  progress(lease: Lease, events: readonly RunEvent[]): void {
    const held = this.#held.find(lease);
    if (held === undefined) return;
    for (const event of events) this.#news.event(held, event, false);
  }

  planned(lease: Lease, planned: Planned): Promise<void> {
    return this.#held.write(lease, (held) => this.#progress.planned(held, planned));
  }

  log(lease: Lease, chunk: LogChunk): void | Promise<void> {
    const held = this.#held.holder(lease);
    const written = held.log.append({ ...chunk, afterEvent: held.storedNumber(chunk.afterEvent) });
    if (written === undefined) this.#news.output(held);
    else return written.then(() => this.#news.output(held));
  }

  gap(lease: Lease, step: string, attempt: number, because: string): void {
    const held = this.#held.holder(lease);
    held.log.gap(step, attempt, because).catch((error: unknown) => this.#parts.onProblem(held.run, error));
  }

  async finish(lease: Lease, outcome: AgentOutcome): Promise<void> {
    const held = this.#held.find(lease);
    if (held === undefined) return this.#finishAgain(lease, outcome);
    await held.inTurn(async () => {
      await held.log.written();
      const steps = endedSteps(held.view.steps, outcome.status, outcome.error?.message ?? 'the run has ended');
      if ((await this.#parts.store.runs.finish(lease.run, lease.attempt, { ...outcome, steps })) === 'stale') throw this.#held.fenced(held);
      this.#held.letGo(held);
      // The run has ended whatever becomes of its log: the queue must know.
      this.#parts.queue.notify({ ...held.record, status: outcome.status });
      await held.log.seal().catch((error: unknown) => this.#parts.onProblem(held.run, error));
      this.#news.status(held, outcome.status);
    });
  }

  release(lease: Lease): Promise<void> {
    return this.#held.write(lease, async (held) => {
      const { steps } = held.view;
      if (hasBegun({ steps })) throw new EngineError('conflict', `run ${held.run} has begun a step and cannot be given back`);
      if ((await releaseRun(this.#parts, { id: held.run, attempt: held.attempt, steps })) === 'stale') throw this.#held.fenced(held);
      this.#held.letGo(held);
      await held.log.close();
      await tellChange(this.#parts, held.run);
    });
  }

  async openUpload(lease: Lease, sha256: string): Promise<AsyncIterable<Uint8Array>> {
    const { request } = this.#held.holder(lease).record;
    if (request.step.contextPath !== `upload:${sha256}`)
      throw new EngineError('policy-refused', `run ${lease.run} was not asked for with the context ${sha256}`);
    return this.#parts.uploads.open(sha256);
  }

  async secrets(lease: Lease, wanted: SecretsWanted): Promise<ResolvedSecrets> {
    const { record } = this.#held.holder(lease);
    const { request } = record;
    if (request.trust === 'untrusted') {
      const contextToken = wanted.kind === 'request' ? await fetchTokenOf(this.#parts, record) : undefined;
      if (contextToken !== undefined) return { values: {}, credentials: [], named: {}, contextToken };
      throw new EngineError('policy-refused', `run ${record.id} is of untrusted code and gets no secrets`);
    }
    if (wanted.kind === 'request') return resolveRequestSecrets(this.#parts, record, await this.#parts.store.runs.sealed(record.id));
    const use = { task: request.task, trust: request.trust, run: record.id };
    return { values: {}, credentials: [], named: await this.#parts.secrets.resolveNamed(wanted.names, use) };
  }

  async leave(agent: string): Promise<void> {
    this.#roll.leave(agent);
    for (const held of this.#leases.of(agent)) {
      held.expiresAtMs = this.#leases.expiry();
      await held.log.close();
    }
    await rememberLeft(this.#parts.store.settings, agent, true);
  }

  async cancelRequested(record: RunRecord): Promise<void> {
    // One that ended meanwhile has nobody to be told, ever.
    if (record.cancel === undefined || isTerminal(record)) return;
    const held = this.#leases.get(record.id);
    if (held === undefined) {
      this.#held.cancelLater(record.id, record.cancel);
      return;
    }
    held.cancel = record.cancel;
    held.record = { ...held.record, cancel: record.cancel };
    if (held.goneAtMs === undefined) this.#roll.nudge(held.agent);
    else await this.#endLost(held);
  }

  agents(): readonly AgentStatus[] {
    return this.#roll.list((agent) => this.#leases.of(agent).map(({ run }) => run));
  }

  close(): Promise<void> {
    return this.#leases.close();
  }

  /** The answer to an earlier `finish` was lost when the run has ended so; anything else is stale. */
  async #finishAgain(lease: Lease, outcome: AgentOutcome): Promise<void> {
    const record = await this.#parts.store.runs.get(lease.run);
    const isSame = record !== undefined && isTerminal(record) && record.attempt === lease.attempt && record.status === outcome.status;
    if (!isSame || record.error?.message !== outcome.error?.message) throw staleLease(lease);
  }

  async #onExpired(held: HeldRun): Promise<void> {
    const record = await stillHeld(this.#parts.store, held);
    if (record === undefined) this.#held.letGo(held);
    else if (record.cancel !== undefined || !hasBegun(record)) await this.#endLost(held);
  }

  async #endLost(held: HeldRun): Promise<void> {
    await dealWithLost(this.#parts, held);
    this.#held.letGo(held);
    await held.log.close();
  }
}
