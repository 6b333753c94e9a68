import type { Generated } from 'kysely';
import type { BaseImage } from '../model/image.ts';
import type { ImageDependency, ImageOutput, ImageTargetState } from '../model/ports/image-watch-store.ts';
import type { TriggerDecision, TriggerEvent } from '../model/trigger-event.ts';

/** The tables of triggers: what happened, what was decided, and what is looked at. */
export interface TriggerTables {
  readonly trigger_events: TriggerEventTable;
  /** Kept by triggers of the database. */
  readonly trigger_event_counts: { readonly status: TriggerEvent['status']; readonly count: number };
  readonly trigger_decisions: TriggerDecisionTable;
  readonly firings: FiringTable;
  readonly hooks: HookTable;
  readonly watched_repositories: WatchedRepositoryTable;
  readonly watched_refs: WatchedRefTable;
  readonly image_dependencies: ImageDependencyTable;
  readonly image_outputs: ImageOutputTable;
  readonly image_analyses: { readonly task_id: string; readonly version: number; readonly at: string; readonly error: string | null };
  readonly image_targets: ImageTargetTable;
  readonly timers: TimerTable;
  readonly commit_statuses: CommitStatusTable;
}

interface TriggerEventTable {
  readonly number: Generated<number>;
  readonly dedup_key: string;
  readonly origin: TriggerEvent['origin'];
  /** Of the happening. */
  readonly kind: TriggerEvent['happening']['kind'];
  readonly happening: string;
  readonly received: string;
  readonly status: TriggerEvent['status'];
  readonly attempts: number;
  readonly retry: string | null;
  readonly error: string | null;
  readonly settled: string | null;
  readonly replay_of: string | null;
  /** As `laneOf` says; null: ended under an older version. */
  readonly lane: string | null;
}

interface TriggerDecisionTable {
  readonly number: Generated<number>;
  /** Number of the event. */
  readonly event: number;
  readonly at: string;
  readonly task: string | null;
  readonly trigger_name: string | null;
  readonly outcome: TriggerDecision['outcome'];
  readonly code: TriggerDecision['code'];
  readonly because: string;
  readonly run: string | null;
}

interface FiringTable {
  readonly task_id: string;
  readonly trigger_name: string;
  readonly key: string;
  /** Number of the run, which may be deleted. */
  readonly run: number;
  readonly event: string;
  readonly at: string;
}

interface HookTable {
  readonly id: string;
  readonly source: string;
  readonly secret: Uint8Array;
  readonly previous_secret: Uint8Array | null;
  readonly previous_until: string | null;
  readonly created: string;
  readonly created_by: string;
  readonly delivered: string | null;
  readonly result: string | null;
  readonly remote_id: string | null;
}

interface WatchedRepositoryTable {
  readonly key: string;
  readonly url: string;
  readonly checked: string | null;
  readonly next_check: string;
  /** Nobody else takes it until then. */
  readonly leased: string | null;
  /** Asked for while somebody looked: due again after that look. */
  readonly hurried: number;
  readonly default_branch: string | null;
  readonly failures: number;
  readonly error: string | null;
}

interface WatchedRefTable {
  readonly repository: string;
  readonly ref: string;
  /** Null: gone. */
  readonly id: string | null;
  /** The newest ids as JSON, newest first. */
  readonly ids: string;
  readonly changed: string;
}

interface ImageDependencyTable {
  readonly task_id: string;
  readonly task: string;
  readonly step: string;
  readonly platform: string;
  readonly written: string;
  readonly state: ImageDependency['state'];
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  readonly role: BaseImage['role'];
  readonly index_digest: string;
  readonly platform_digest: string;
  readonly resolved: string;
  readonly run: string | null;
}

interface ImageOutputTable {
  readonly task_id: string;
  readonly task: string;
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  readonly state: ImageOutput['state'];
  readonly run: string | null;
}

interface ImageTargetTable {
  readonly key: string;
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  readonly credential: string;
  readonly pattern: string;
  /** Seconds. */
  readonly least: number;
  readonly most: number;
  readonly platforms: string;
  readonly index_digest: string;
  readonly digests: string;
  readonly newest_tag: string;
  readonly checked: string | null;
  readonly next_check: string;
  readonly leased: string | null;
  readonly status: ImageTargetState['status'];
  readonly error: string | null;
  readonly failures: number;
}

interface TimerTable {
  readonly task_id: string;
  readonly task: string;
  readonly name: string;
  readonly schedule: string;
  readonly next: string | null;
  readonly due: string | null;
  readonly last: string | null;
}

interface CommitStatusTable {
  readonly key: string;
  readonly run: string;
  readonly state: string;
  /** A CommitStatus. */
  readonly status: string;
  readonly version: number;
  readonly delivered: number;
  /** The version that is tried no more. */
  readonly given_up: number;
  readonly attempts: number;
  readonly next_attempt: string;
  readonly leased: string | null;
  readonly error: string | null;
  readonly changed: string;
  /** Of the repository; null: ended under an older version. */
  readonly host: string | null;
}
