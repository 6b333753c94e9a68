import type { Generated } from 'kysely';
import type { RunStatus } from '../model/run-event.ts';
import type { RunType } from '../model/run-record.ts';
import type { TriggerTables } from './trigger-tables.ts';

/** The tables of the store as queries see them. Times are ISO 8601 texts in UTC, documents are JSON texts, flags are 0 or 1. */
export interface StoreTables extends TriggerTables {
  readonly tasks: TaskTable;
  readonly runs: RunTable;
  /** Kept by triggers. */
  readonly run_counts: { readonly status: RunStatus; readonly count: number };
  readonly run_requests: RunRequestTable;
  readonly run_states: RunStateTable;
  readonly run_events: { readonly run: number; readonly seq: number; readonly json: string };
  readonly run_images: RunImageTable;
  readonly run_checkpoints: { readonly run: number; readonly plan: Uint8Array };
  readonly tokens: TokenTable;
  readonly secrets: SecretTable;
  readonly audit: AuditTable;
  readonly settings: { readonly key: string; readonly json: string };
  readonly idempotency: IdempotencyTable;
  readonly pings: { readonly id: number; readonly at: string };
}

interface TaskTable {
  readonly name: string;
  readonly id: string;
  readonly version: number;
  readonly definition: string;
  readonly created: string;
  readonly updated: string;
  readonly managed_by: string | null;
}

/** Narrow on purpose: what lists filter and the queue compares. The documents of a run are in `run_requests` and `run_states`. */
export interface RunTable {
  readonly number: Generated<number>;
  /** Empty for quick runs. */
  readonly task: string;
  readonly status: RunStatus;
  readonly run_type: RunType;
  readonly archived: number;
  /** What the agent found in the context, before that what the request says; empty when unknown. */
  readonly branch: string;
  /** Lower case. */
  readonly commit_sha: string;
  readonly created: string;
  readonly updated: string;
  readonly started: string | null;
  readonly finished: string | null;
  readonly attempt: number;
  readonly agent: string | null;
  readonly crashes: number;
  readonly cancel: string | null;
  readonly last_event: number;
  /** A RunHold; null unless it is queued and waits. */
  readonly hold: string | null;
  readonly approval: string | null;
}

/** Never changes, but for the first cause and the base images of a run that another happening joins. */
interface RunRequestTable {
  readonly run: number;
  readonly request: string;
  readonly sealed: Uint8Array | null;
  /** Unique: who asked, and the key that came with the request. */
  readonly creation_key: string | null;
}

export interface RunStateTable {
  readonly run: number;
  /** The part of the request that lists show; changes with it. */
  readonly brief: string;
  readonly steps: string;
  readonly images: string;
  readonly source: string | null;
  readonly error: string | null;
  /** `built`, `baseImages`, `dependencies`. */
  readonly made: string | null;
}

/** With what lists filter, so that they need not look at the runs; triggers keep it like them. */
interface RunImageTable extends Pick<RunTable, 'task' | 'branch' | 'status' | 'run_type' | 'archived' | 'commit_sha' | 'created'> {
  readonly run: number;
  readonly repository: string;
  readonly host: string;
  readonly tag: string;
  readonly digest: string;
}

interface TokenTable {
  readonly id: string;
  readonly hash: Uint8Array;
  readonly created: string;
  /** A TokenRecord without its last use and revocation. */
  readonly record: string;
  readonly last_used: string | null;
  readonly revoked: string | null;
}

interface SecretTable {
  readonly name: string;
  readonly sealed: Uint8Array;
  readonly description: string;
  readonly tasks: string;
  readonly created: string;
  readonly updated: string;
  readonly updated_by: string;
}

export interface AuditTable {
  readonly seq: Generated<number>;
  readonly at: string;
  readonly action: string;
  readonly principal: string;
  readonly source: string;
  readonly target: string;
  readonly outcome: 'done' | 'refused';
  readonly details: string;
}

interface IdempotencyTable {
  readonly principal: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly taken: string;
  /** Null while the first request is at work. */
  readonly status: number | null;
  readonly body: string | null;
  readonly headers: string | null;
}
