import { EngineError } from '../../model/engine-error.ts';
import type { Clock } from '../../model/ports/clock.ts';
import type { Forge } from '../../model/ports/forge.ts';
import type { CommitStatusRow, StatusStore } from '../../model/ports/status-store.ts';
import type { SourceControlType } from '../../model/trigger-definition.ts';
import { hostOfRepository } from '../../util/repository-url.ts';
import { HostLanes } from './host-lanes.ts';
import { waitAfterFailure } from './retry-policy.ts';
import { notSent } from './status-problem.ts';

export interface DeliveryParts {
  readonly statuses: StatusStore;
  forge(kind: SourceControlType): Pick<Forge, 'setStatus'> | undefined;
  /** The token that speaks to the forge of a trigger; undefined: it has none, and nothing is told. */
  tokenOf(task: string, trigger: string): Promise<string | undefined>;
  readonly clock: Clock;
  /** 0 to below 1. */
  readonly random: () => number;
  onProblem(what: string, error: unknown): void;
}

/** Of all servers together. */
const MOST_AT_ONCE = 1024;
/** Of one server are taken while fewer than these wait in its lane, and as many at once: a server that hangs keeps no place of another. */
const LANE = 16;
/** Longer than any request takes, with a timeout of the ones before it in its lane. */
const LEASE_MS = 120_000;
/** A lease of a process that was killed, or a row of another daemon, shows at the latest then. */
const IDLE_MS = 30_000;
/** What waits for a server that did not answer at all waits with it. */
const SILENT_MS = 5_000;

/** Brings due statuses to their forges, the newest state only, until it is closed. */
export class StatusDelivery {
  readonly #parts: DeliveryParts;
  readonly #lanes: HostLanes;
  readonly #closing = new AbortController();
  readonly #underWay = new Map<string, Promise<void>>();
  /** How many are under way, by server. */
  readonly #ofHost = new Map<string, number>();
  /** Leased anew just before the delivery of their key was quite over: two at once could arrive the wrong way round. */
  readonly #following = new Map<string, CommitStatusRow>();
  /** Servers whose trouble was reported and is not over. */
  readonly #reported = new Set<string>();
  #wake = new AbortController();
  #nextMs = Number.POSITIVE_INFINITY;
  readonly #loop: Promise<void>;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#lanes = new HostLanes(parts.clock);
    this.#loop = this.#deliver();
  }

  /** Something may be due. */
  wake(): void {
    this.#wake.abort();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.values());
  }

  async #deliver(): Promise<void> {
    const { clock } = this.#parts;
    while (!this.#closing.signal.aborted) {
      const woken = new AbortController();
      this.#wake = woken;
      const started = await this.#startDue();
      if (started > 0) continue;
      const idle = Math.min(IDLE_MS, Math.max(0, this.#nextMs - clock.monotonicMs()));
      await clock.sleep(idle, AbortSignal.any([woken.signal, this.#closing.signal]));
    }
  }

  /** How many were begun. */
  async #startDue(): Promise<number> {
    const { statuses, clock, onProblem } = this.#parts;
    if (this.#underWay.size >= MOST_AT_ONCE) return 0;
    const exceptHosts = [...this.#ofHost].filter(([, count]) => count >= LANE).map(([host]) => host);
    if (this.#nextMs <= clock.monotonicMs()) this.#nextMs = Number.POSITIVE_INFINITY;
    try {
      const due = await statuses.due({ limit: LANE, leaseMs: LEASE_MS, exceptHosts });
      for (const row of due) {
        if (this.#underWay.has(row.key)) this.#following.set(row.key, row);
        else this.#start(row);
      }
      return due.length;
    } catch (error) {
      onProblem('commit statuses could not be read', error);
      return 0;
    }
  }

  #start(row: CommitStatusRow): void {
    const host = hostOfRepository(row.repositoryUrl);
    this.#count(host, 1);
    const work = this.#lanes
      .run(host, () => this.#send(row, host))
      .catch((error: unknown) => this.#parts.onProblem(`the commit status of run ${row.run} could not be kept`, error))
      .finally(() => {
        this.#underWay.delete(row.key);
        this.#count(host, -1);
        const next = this.#following.get(row.key);
        this.#following.delete(row.key);
        if (next !== undefined) this.#start(next);
        this.wake();
      });
    this.#underWay.set(row.key, work);
  }

  #count(host: string, by: 1 | -1): void {
    const count = (this.#ofHost.get(host) ?? 0) + by;
    if (count === 0) this.#ofHost.delete(host);
    else this.#ofHost.set(host, count);
  }

  async #send(leased: CommitStatusRow, host: string): Promise<void> {
    const { statuses } = this.#parts;
    const paused = this.#closing.signal.aborted ? 0 : this.#lanes.pausedFor(host, askerOf(leased, host));
    if (paused > 0) return this.#again(leased, notSent(`${host} asked for a pause`, leased), paused * (1 + this.#parts.random() / 4));
    const newest = (await statuses.ofRun(leased.run)).find(({ key }) => key === leased.key);
    // A newer run of the commit has taken its place while it waited.
    if (newest === undefined) return this.#again(leased, notSent('replaced by a newer run', leased), 0);
    if (this.#closing.signal.aborted) return this.#again(newest, notSent('the daemon ended', newest), 0);
    try {
      await this.#tell(newest);
    } catch (error) {
      return this.#failed(newest, host, error);
    }
    this.#reported.delete(host);
    await statuses.delivered(newest.key, newest.version);
  }

  async #tell(row: CommitStatusRow): Promise<void> {
    const token = await this.#parts.tokenOf(row.task, row.trigger);
    const forge = this.#parts.forge(row.forge);
    if (forge === undefined || token === undefined)
      throw new Untold(forge === undefined ? 'the forge has no API' : 'the trigger has no token');
    await forge.setStatus(row, { token, signal: this.#closing.signal });
  }

  async #failed(row: CommitStatusRow, host: string, error: unknown): Promise<void> {
    const { statuses, random } = this.#parts;
    const said = error instanceof Error ? error.message : String(error);
    // What was refused before a token was taken away is refused no more.
    if (error instanceof Untold) return statuses.failed(row.key, row.version, { error: notSent(said) });
    if (this.#closing.signal.aborted) return this.#again(row, notSent('the daemon ended', row), 0);
    const wait = waitAfterFailure(error, row.attempts + 1, random);
    if (wait === undefined) {
      this.#report(host, `the commit status ${row.context} of run ${row.run} was given up`, error);
      return statuses.failed(row.key, row.version, { error: said });
    }
    if (error instanceof EngineError && error.transient) this.#pause(row, host, error.retryAfterMs, wait);
    else this.#report(host, `the commit status ${row.context} of run ${row.run} was refused`, error);
    await this.#again(row, said, wait);
  }

  /** Limits are those of a token: what other triggers have to tell goes on. A server in trouble is so for all. */
  #pause(row: CommitStatusRow, host: string, askedMs: number | undefined, waitMs: number): void {
    if (askedMs === undefined) this.#lanes.pause(host, Math.min(waitMs, SILENT_MS));
    else this.#lanes.pause(askerOf(row, host), Math.min(waitMs, askedMs));
  }

  /** Gives the row back. */
  async #again(row: CommitStatusRow, why: string, waitMs: number): Promise<void> {
    const { statuses, clock } = this.#parts;
    // The store compares another clock, to the millisecond.
    this.#nextMs = Math.min(this.#nextMs, clock.monotonicMs() + waitMs + 5);
    await statuses.failed(row.key, row.version, { error: why, nextAttempt: new Date(clock.now().getTime() + waitMs).toISOString() });
  }

  /** Once for each server until it is well again: a forge that is down has many statuses. */
  #report(host: string, what: string, error: unknown): void {
    if (this.#reported.has(host)) return;
    this.#reported.add(host);
    this.#parts.onProblem(what, error);
  }
}

/** There is nobody to tell, or nothing to tell it with: no problem of anybody. */
class Untold extends Error {}

function askerOf({ task, trigger }: CommitStatusRow, host: string): string {
  return `${host} ${task} ${trigger}`;
}
