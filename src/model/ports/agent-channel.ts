import type { Plan } from '../plan.ts';
import type { RunEvent } from '../run-event.ts';
import type { RunRecord, RunRequest } from '../run-record.ts';
import type { RunResume } from '../run-resume.ts';
import type { LogChunk } from './log-store.ts';
import type { RunOutcome } from './store.ts';

/**
 * All that an agent knows of a daemon. The built-in agent calls it in process, others will over HTTPS: everything is plain data, bytes or
 * streams. Every write carries the lease (run and attempt): a stale one is refused with EngineError `stale-attempt`, whereupon the agent stops
 * the run's containers at once and says no more. Calls may be repeated after a lost answer: events are numbered, log chunks positioned.
 */
export interface AgentChannel {
  /** Says who it is; resolves with the runs that it held before (same agent id) and now holds again under a new attempt. */
  register(agent: AgentDescription): Promise<{ readonly daemonId: string; readonly held: readonly Assignment[] }>;
  /** The next run for it, or undefined when there was none within the wait or `signal` aborted. Leases last `leaseMs`. */
  claim(agent: string, options: { readonly waitMs: number; readonly signal: AbortSignal }): Promise<Assignment | undefined>;
  /** Renews leases; tells which runs to cancel and which leases were lost. Every `leaseMs / 3`. */
  renew(
    agent: string,
    leases: readonly Lease[],
  ): Promise<{ readonly cancel: readonly (Lease & { readonly reason: string })[]; readonly lost: readonly Lease[] }>;
  /** Resolves as soon as something for this agent may have changed (a cancel), or when `signal` aborts. */
  nudged(agent: string, signal: AbortSignal): Promise<void>;
  /** Events in order, without step output. Resolves when durable. */
  report(lease: Lease, events: readonly RunEvent[]): Promise<void>;
  /** Progress of builds and transfers, for whoever looks on now: never stored, and lost without harm. Never throws. */
  progress(lease: Lease, events: readonly RunEvent[]): void;
  /** What was found in the context, and the plan, before the first step starts. Resolves when durable. */
  planned(lease: Lease, planned: { readonly plan: Plan; readonly source: NonNullable<RunRecord['source']> }): Promise<void>;
  /** Output; a returned promise holds the step back. */
  log(lease: Lease, chunk: LogChunk): void | Promise<void>;
  gap(lease: Lease, step: string, attempt: number, because: string): void;
  /** The run's end. Resolves when durable; then the agent may remove what the run left. */
  finish(lease: Lease, outcome: AgentOutcome): Promise<void>;
  /** Gives back a run that has started no step (drain). */
  release(lease: Lease): Promise<void>;
  /** A context that a client sent. */
  openUpload(lease: Lease, sha256: string): Promise<AsyncIterable<Uint8Array>>;
  /**
   * Values of the request's secrets: arguments, values, context token, credentials, and the daemon's secrets that the task file names.
   * An untrusted run gets none: rejects with `policy-refused`.
   */
  secrets(lease: Lease, wanted: SecretsWanted): Promise<ResolvedSecrets>;
  /** Says goodbye; runs it still holds are left to it for `leaseMs`. */
  leave(agent: string): Promise<void>;
}

/** How a run ended, as its agent knows it. How the steps ended is what the run's events told: an agent that resumed a run knows only a part. */
export type AgentOutcome = Omit<RunOutcome, 'steps'>;

export interface Lease {
  readonly run: string;
  readonly attempt: number;
}

export interface AgentDescription {
  /** Stable over restarts of the same agent. */
  readonly id: string;
  /** New at each start of the process. */
  readonly bootId: string;
  readonly pool: string;
  readonly version: string;
  /** Most runs at once. */
  readonly slots: number;
  readonly platform: { readonly os: string; readonly architecture: string };
  readonly labels: Readonly<Record<string, string>>;
}

export interface Assignment extends Lease {
  readonly leaseMs: number;
  readonly request: RunRequest;
  /** When the run was created: fixed for `.Run.Date`. */
  readonly createTime: string;
  /** Present when an earlier attempt got as far as a plan. */
  readonly resume?: RunResume;
  readonly cancel?: { readonly reason: string };
}

export type SecretsWanted =
  | { readonly kind: 'request' }
  /** Names after `secret://` in the task file. */
  | { readonly kind: 'named'; readonly names: readonly string[] };

export interface ResolvedSecrets {
  /** Secret arguments and values of the request, by name. */
  readonly values: Readonly<Record<string, string>>;
  readonly contextToken?: string;
  readonly credentials: readonly { readonly loginServer: string; readonly userName: string; readonly password: string }[];
  /** By name, for `named`. */
  readonly named: Readonly<Record<string, string>>;
}
