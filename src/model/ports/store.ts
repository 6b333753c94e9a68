import type { PushedImage } from '../image.ts';
import type { RunEvent, RunStatus } from '../run-event.ts';
import type { RunHold } from '../run-hold.ts';
import type { Cause, RunRecord, RunRequest, RunSummary, StepRecord, TerminalStatus } from '../run-record.ts';
import type { AuditEntry, SecretRow, TokenRecord } from '../security.ts';
import type { TaskDefinition, TaskRecord } from '../task-definition.ts';
import type { NewTriggerEvent } from '../trigger-event.ts';
import type { EventStore } from './event-store.ts';
import type { GitWatchStore } from './git-watch-store.ts';
import type { HookStore } from './hook-store.ts';
import type { ImageWatchStore } from './image-watch-store.ts';
import type { StatusStore } from './status-store.ts';
import type { TimerStore } from './timer-store.ts';

/**
 * The state of a daemon: rows, not bytes of logs or contexts. Every method is one transaction, durable when it resolves, and safe to
 * call again after a crash. Methods that change a run for an agent carry `attempt`: they do nothing and say `stale` when the run has
 * been claimed again or has ended. Times are ISO 8601 in UTC and come from the store's clock.
 * One contract suite (test/contract/store.ts) holds for every adapter.
 */
export interface Store {
  readonly tasks: TaskStore;
  readonly runs: RunStore;
  readonly tokens: TokenStore;
  readonly secrets: SecretStore;
  readonly audit: AuditStore;
  readonly settings: SettingStore;
  readonly idempotency: IdempotencyStore;
  readonly events: EventStore;
  readonly hooks: HookStore;
  readonly gitWatch: GitWatchStore;
  readonly imageWatch: ImageWatchStore;
  readonly timers: TimerStore;
  readonly statuses: StatusStore;
  /** What is due, and leased, by the wall clock is brought forward by as much as that was set back; but for timers and holds. */
  clockSetBack(byMs: number): Promise<void>;
  /** Cheap; rejects when the database cannot be written (disk full, read-only). */
  ping(): Promise<void>;
  /** Finishes what runs, checkpoints, closes. Nothing may be called afterwards. */
  close(): Promise<void>;
}

export type Written<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly because: 'exists' | 'missing' | 'version' };

export interface TaskStore {
  get(name: string): Promise<TaskRecord | undefined>;
  /** By name. `after` is the last name of the page before. */
  list(query: { readonly limit: number; readonly after?: string }): Promise<readonly TaskRecord[]>;
  /** `exists` when the name is taken. */
  create(definition: TaskDefinition, managedBy?: string): Promise<Written<TaskRecord>>;
  /** Replaces the definition. `version` must be the stored one when given. `managedBy: null` lets go of the file that owned it. */
  replace(
    definition: TaskDefinition,
    options: { readonly version?: number; readonly managedBy?: string | null },
  ): Promise<Written<TaskRecord>>;
  /** With its firings, its timers, what is known of its images, and its settings of UPDATE_POSTED. */
  delete(name: string, options: { readonly version?: number }): Promise<Written<TaskRecord>>;
}

export interface RunQuery {
  readonly task?: string;
  readonly status?: readonly RunStatus[];
  /** `repository`, `repository:tag`, `repository@sha256:…`, with or without the registry: runs that pushed it. */
  readonly image?: string;
  /** Of what the agent found in the context; before that, of what the request says. So is `commit`. */
  readonly branch?: string;
  /** A commit or the beginning of one, at least 4 hex digits, in any case. */
  readonly commit?: string;
  readonly runType?: string;
  readonly archived?: boolean;
  /** Created at or after / before, ISO 8601. */
  readonly since?: string;
  readonly until?: string;
  /** Tasks that the asker may see: exact names, or undefined for all. Quick runs have no task and match `''`. */
  readonly visibleTasks?: (task: string) => boolean;
  readonly limit: number;
  /** Runs with a smaller number: the last of the page before. Newest first. */
  readonly before?: number;
}

/** What an agent tells of a run, folded into the row besides the events themselves. */
export interface RunProgress {
  readonly steps: readonly StepRecord[];
  readonly status?: 'Running';
  readonly images?: readonly PushedImage[];
  readonly source?: RunRecord['source'];
}

export type RunOutcome = Pick<RunRecord, 'images' | 'built' | 'baseImages' | 'dependencies' | 'error' | 'steps'> & {
  readonly status: TerminalStatus;
};

/** What a claimed run goes on from after its agent was lost: sealed by the caller, opaque here. */
export interface RunCheckpoint {
  readonly plan: Uint8Array;
}

/** The right of a trigger to make one run for one happening. Each (task, trigger, key) is used once, as long as the task is there. */
export interface Firing {
  /** `TaskRecord.id`. */
  readonly taskId: string;
  readonly trigger: string;
  /** At least one: `refs/heads/main COMMIT`, `docker.io/library/node:20 DIGEST`, an occurrence. */
  readonly keys: readonly string[];
  /** Id of the event. */
  readonly event: string;
}

/** What happened, added to a run that waits. */
export interface Joining {
  /** In place of the run's first cause. */
  readonly cause: Cause;
  readonly firing: Firing;
  /** What it waits for; as before unless given. */
  readonly hold?: RunHold;
  /** In place of those of its request, when given. */
  readonly baseImages?: NonNullable<RunRequest['baseImages']>;
}

export interface NewRun {
  readonly request: RunRequest;
  /** What of the request only the daemon's key opens. */
  readonly sealed?: Uint8Array;
  readonly hold?: RunHold;
  /** An event that is settled with this run as its decision, in the same transaction: what people ask for by hand. */
  readonly event?: NewTriggerEvent;
}

/** A place in the order of firings. */
export interface FiringPlace {
  readonly taskId: string;
  readonly trigger: string;
  readonly key: string;
}

export interface RunStore {
  /**
   * Numbers the run, stores it as Queued. With a `key` there is one run: what was
   * created with it within IDEMPOTENCY_KEPT_MS is given back as it is now.
   */
  create(run: NewRun, key?: string): Promise<RunRecord>;
  /**
   * Creates the run and uses up the firing, in one transaction; keys that were used already are passed over. `created` is false, and `run`
   * the id that the first of them made, when none is left. A task that is gone (by id) makes none: undefined.
   */
  fire(
    run: NewRun,
    firing: Firing,
  ): Promise<{ readonly created: true; readonly run: RunRecord } | { readonly created: false; readonly run: string } | undefined>;
  /** Which of these keys of a trigger were used, and by which run. */
  fired(taskId: string, trigger: string, keys: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /**
   * Adds a firing to a queued run that is held or was never claimed, and uses up its keys. Keys that were used already are passed over; when
   * none is left nothing changes. `stale` when it has been claimed or ended, or the task is gone.
   */
  join(id: string, joining: Joining): Promise<'done' | 'stale'>;
  /** Changes or takes away what a queued run waits for. The end of a run takes it away too. */
  hold(id: string, hold: RunHold | undefined): Promise<'done' | 'stale'>;
  /** Takes the approval off its hold and keeps who gave it; `stale` unless it is queued and waits for one of this commit. */
  approve(id: string, approval: { readonly by: string; readonly commit: string }): Promise<'done' | 'stale'>;
  /** Queued runs with a hold, oldest first. */
  held(): Promise<readonly RunRecord[]>;
  /** What was created with a key within IDEMPOTENCY_KEPT_MS. */
  byKey(key: string): Promise<RunRecord | undefined>;
  get(id: string): Promise<RunRecord | undefined>;
  sealed(id: string): Promise<Uint8Array | undefined>;
  list(query: RunQuery): Promise<readonly RunSummary[]>;
  /** The newest run (of a task). */
  last(task?: string): Promise<RunRecord | undefined>;
  /** Queued runs and runs that an agent holds, oldest first: what the queue decides on. */
  live(): Promise<readonly RunRecord[]>;
  /** From Queued, or (a lost agent's run) from Started or Running at attempt `from`: counts the attempt up and names the agent. Undefined when another was faster, or a hold keeps it. */
  claim(id: string, claim: { readonly agent: string; readonly from: number; readonly crashed?: boolean }): Promise<RunRecord | undefined>;
  /** Puts a claimed run that has not started a step back to Queued; `stale` also when it has. Its checkpoint and cancel stay. */
  release(id: string, attempt: number): Promise<'done' | 'stale'>;
  /** Appends events (their `seq` go on from `lastEvent` without gap; those already there are left out) and folds progress. Never step output. */
  append(id: string, attempt: number, events: readonly RunEvent[], progress: RunProgress): Promise<'done' | 'stale'>;
  checkpoint(id: string, attempt: number, checkpoint: RunCheckpoint): Promise<'done' | 'stale'>;
  checkpointOf(id: string): Promise<RunCheckpoint | undefined>;
  /** The one way into a terminal status; compare-and-set at `attempt`, queued runs included; undefined: at whatever attempt it is. The checkpoint is dropped. */
  finish(id: string, attempt: number | undefined, outcome: RunOutcome): Promise<'done' | 'stale'>;
  /** Asks for the end of a run: `ended` when it was queued and is now Canceled (the first reason is its error), `asked` when an agent must be told, `terminal` when it had ended. */
  requestCancel(id: string, cancel: { readonly by: string; readonly reason: string }): Promise<'ended' | 'asked' | 'terminal' | 'missing'>;
  setArchived(id: string, archived: boolean): Promise<'done' | 'missing'>;
  events(id: string, query: { readonly after: number; readonly limit: number }): Promise<readonly RunEvent[]>;
  /** Ended runs that are not archived, ended before the time or beyond the `keep` newest, for deletion. */
  expired(query: { readonly before: string; readonly keep?: number; readonly limit: number }): Promise<readonly string[]>;
  /** Removes rows of a terminal run. */
  delete(id: string): Promise<void>;
  /**
   * Looks at `limit` firings after a place and removes those that were used before the time and that nothing can use again; `next` is where to
   * go on, absent at the end.
   */
  pruneFirings(query: {
    readonly before: string;
    readonly after?: FiringPlace | undefined;
    readonly limit: number;
  }): Promise<{ readonly pruned: number; readonly next?: FiringPlace }>;
  counts(): Promise<Readonly<Record<RunStatus, number>>>;
}

export interface TokenStore {
  insert(token: TokenRecord & { readonly hash: Uint8Array }): Promise<Written<TokenRecord>>;
  /** By SHA-256 of the whole token. */
  byHash(hash: Uint8Array): Promise<TokenRecord | undefined>;
  list(): Promise<readonly TokenRecord[]>;
  /** Rows stay for the audit; a revoked token is never found by hash again. */
  revoke(id: string): Promise<'done' | 'missing'>;
  /** Last use; may be written late and in batches. */
  touch(uses: readonly { readonly id: string; readonly at: string }[]): Promise<void>;
}

export interface SecretStore {
  put(row: SecretRow): Promise<void>;
  get(name: string): Promise<SecretRow | undefined>;
  /** Without the values. */
  list(): Promise<readonly Omit<SecretRow, 'sealed'>[]>;
  delete(name: string): Promise<'done' | 'missing'>;
}

/** Append-only: there is no way to change or remove an entry. */
export interface AuditStore {
  append(entry: Omit<AuditEntry, 'seq' | 'at'>): Promise<void>;
  list(query: {
    readonly before?: number;
    readonly limit: number;
    readonly action?: string;
    readonly principal?: string;
    readonly target?: string;
    readonly since?: string;
  }): Promise<readonly AuditEntry[]>;
}

/** Keys of settings that begin so go on with the id of a task and `:`. They go with the task; what it left over is removed when the store opens. */
export const UPDATE_POSTED = 'image-update-posted:';

/** Small facts of the daemon: its id, whether the queue is paused. JSON values. */
export interface SettingStore {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
}

/** So long a repeated request with an `Idempotency-Key` is known as one. */
export const IDEMPOTENCY_KEPT_MS = 24 * 3_600_000;

/** Answers to requests with an `Idempotency-Key`, kept for IDEMPOTENCY_KEPT_MS. */
export interface IdempotencyStore {
  /**
   * Takes the key for one request: `new` (go on, then `complete`), `replay` (the same request has been answered), `mismatch` (the key came with
   * another request), `running` (the first is still at work). A key taken by a process that died before `complete` is `new` again after `staleMs`.
   */
  begin(key: {
    readonly principal: string;
    readonly key: string;
    readonly fingerprint: string;
    readonly staleMs: number;
  }): Promise<
    | { readonly kind: 'new' }
    | { readonly kind: 'replay'; readonly status: number; readonly body: string; readonly headers: Readonly<Record<string, string>> }
    | { readonly kind: 'mismatch' }
    | { readonly kind: 'running' }
  >;
  complete(
    key: { readonly principal: string; readonly key: string },
    answer: { readonly status: number; readonly body: string; readonly headers: Readonly<Record<string, string>> },
  ): Promise<void>;
  abandon(key: { readonly principal: string; readonly key: string }): Promise<void>;
  prune(before: string): Promise<number>;
}
