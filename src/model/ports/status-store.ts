import type { SourceControlType } from '../trigger-definition.ts';

/** A commit status to be told to a forge. One for each commit and context (task): the newest state wins. */
export interface CommitStatus {
  readonly key: string;
  readonly forge: SourceControlType;
  readonly repositoryUrl: string;
  readonly repositoryId?: string;
  readonly commit: string;
  /** `slipway/TASK`. */
  readonly context: string;
  readonly state: 'queued' | 'running' | 'succeeded' | 'failed' | 'error' | 'canceled';
  readonly description: string;
  readonly targetUrl: string;
  readonly branch?: string;
  readonly pullRequest?: string;
  /** Whose credential is used. */
  readonly task: string;
  readonly trigger: string;
  readonly run: string;
}

export interface CommitStatusRow extends CommitStatus {
  /** Counts up at each change. */
  readonly version: number;
  readonly delivered: number;
  readonly attempts: number;
  readonly nextAttempt: string;
  readonly error?: string;
}

export interface StatusStore {
  /**
   * Statuses of an older run never replace those of a newer one of the same key; an equal state of the same run changes nothing, and nothing
   * follows its end. A new state is due at once, but while another is being delivered only after that, so that they arrive in order.
   */
  put(status: CommitStatus): Promise<void>;
  /** Not yet delivered at their version and due, leased for `leaseMs`; none of `exceptHosts` (`hostOfRepository`). */
  due(query: {
    readonly limit: number;
    readonly leaseMs: number;
    readonly exceptHosts?: readonly string[];
  }): Promise<readonly CommitStatusRow[]>;
  delivered(key: string, version: number): Promise<void>;
  /** Tried again at `nextAttempt`; given up without it. */
  failed(key: string, version: number, failure: { readonly error: string; readonly nextAttempt?: string }): Promise<void>;
  ofRun(run: string): Promise<readonly CommitStatusRow[]>;
  /** What was delivered or given up and has not changed since. */
  prune(before: string): Promise<number>;
}
