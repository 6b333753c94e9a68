import type { PushedImage } from '../image.ts';
import type { RunEvent, RunStatus } from '../run-event.ts';
import type { RunRecord, RunRequest, RunSummary, StepRecord, TerminalStatus } from '../run-record.ts';
import type { AuditEntry, SecretRow, TokenRecord } from '../security.ts';
import type { TaskDefinition, TaskRecord } from '../task-definition.ts';

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

export interface RunStore {
  /**
   * Numbers the run, stores it as Queued. `sealed`: what of its request only the daemon's key opens. With a `key` there is one run: what was
   * created with it within IDEMPOTENCY_KEPT_MS is given back as it is now.
   */
  create(request: RunRequest, sealed: Uint8Array | undefined, key?: string): Promise<RunRecord>;
  /** What was created with a key within IDEMPOTENCY_KEPT_MS. */
  byKey(key: string): Promise<RunRecord | undefined>;
  get(id: string): Promise<RunRecord | undefined>;
  sealed(id: string): Promise<Uint8Array | undefined>;
  list(query: RunQuery): Promise<readonly RunSummary[]>;
  /** The newest run (of a task). */
  last(task?: string): Promise<RunRecord | undefined>;
  /** Queued runs and runs that an agent holds, oldest first: what the queue decides on. */
  live(): Promise<readonly RunRecord[]>;
  /** From Queued, or (a lost agent's run) from Started or Running at attempt `from`: counts the attempt up and names the agent. Undefined when another was faster. */
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
