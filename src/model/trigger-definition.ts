import type { SecretRef, TaskDefinition } from './task-definition.ts';

/** What starts runs of a task by itself. Names are unique within a task, over all kinds. Shapes and names are ACR's where it has them. */
export interface TaskTriggers {
  readonly sourceTriggers: readonly SourceTrigger[];
  readonly timerTriggers: readonly TimerTrigger[];
  readonly baseImageTrigger?: BaseImageTrigger;
  readonly afterTriggers: readonly AfterTrigger[];
}

export type TriggerStatus = 'Enabled' | 'Disabled';

/** Of ACR `Github` (also GitHub Enterprise Server, by the host) and `VisualStudioTeamService` (Azure DevOps); the rest is Slipway's. */
export const SOURCE_CONTROL_TYPES = ['Github', 'GitLab', 'Gitea', 'Bitbucket', 'VisualStudioTeamService', 'Generic'] as const;
export type SourceControlType = (typeof SOURCE_CONTROL_TYPES)[number];

export const SOURCE_EVENTS = ['commit', 'pullrequest', 'tag'] as const;
export type SourceEvent = (typeof SOURCE_EVENTS)[number];

export interface SourceTrigger {
  /** `^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$`. */
  readonly name: string;
  readonly status: TriggerStatus;
  /** At least one; `tag` exactly when `tags` is not empty. */
  readonly sourceTriggerEvents: readonly SourceEvent[];
  readonly sourceRepository: SourceRepository;
  /**
   * Globs of branch names without `refs/heads/` (`main`, `release/**`); `!glob` takes away again, the last that matches decides. Of a pull
   * request it is the branch that it wants to go into. Empty: `sourceRepository.branch`, else the branch of the context, else the default branch.
   */
  readonly branches: readonly string[];
  /** Globs of tag names, likewise. Empty: tags start nothing. */
  readonly tags: readonly string[];
  /** Globs of paths in the repository. A change runs when one of its files matches `include` (empty: any) and is not matched by `exclude`. */
  readonly paths: { readonly include: readonly string[]; readonly exclude: readonly string[] };
  /** `[skip ci]` and its kin in the message of the head commit are heeded. */
  readonly skipCi: boolean;
  /** A push that arrives after a newer one of its branch was seen starts nothing; otherwise each push runs, as in ACR. */
  readonly latestOnly: boolean;
  /** Pull requests from forks: `approve` waits for `task approve`, `run` runs at once, `ignore` starts nothing. Untrusted in every case. */
  readonly forks: 'approve' | 'run' | 'ignore';
  /** Seconds between looks at the repository; 0: never, webhooks only. Absent: the daemon's. */
  readonly pollInterval?: number;
  /** Whether runs are told to the forge as commit statuses. */
  readonly commitStatus: boolean;
}

export interface SourceRepository {
  readonly sourceControlType: SourceControlType;
  /** A git URL without `#ref`. */
  readonly repositoryUrl: string;
  /** One branch, as ACR has it. */
  readonly branch?: string;
  /** For reading, commit statuses and setting up webhooks. Absent: the task's `step.contextAccessToken`. */
  readonly sourceControlAuthProperties?: { readonly tokenType: 'PAT' | 'OAuth'; readonly token: SecretRef };
}

export interface TimerTrigger {
  readonly name: string;
  /** Five fields of NCrontab in UTC (`src/schedule`); a leading `CRON_TZ=Zone ` is an extension. */
  readonly schedule: string;
  readonly status: TriggerStatus;
  /**
   * Of missed occurrences: one run for the newest, runs for the `mostMissed` newest, or none. Missed is what was due while no daemon was there
   * (ready, awake); what a busy daemon is late for fires.
   */
  readonly onMissed: 'latest' | 'all' | 'skip';
  readonly mostMissed: number;
  /** While a run of this timer has not ended: another beside it (ACR), none, one after it, or one in its place. */
  readonly overlap: 'allow' | 'skip' | 'queue' | 'cancelPrevious';
  /** Seconds within which each occurrence is put off by a fixed, random-looking part; 0: none. */
  readonly jitter: number;
}

export interface BaseImageTrigger {
  readonly name: string;
  readonly status: TriggerStatus;
  /** `Runtime`: base images of the stage that is built. `All`: those of builder stages, `COPY --from` and `RUN --mount=from` too. */
  readonly baseImageTriggerType: 'Runtime' | 'All';
  /** The update is posted there instead of run. */
  readonly updateTriggerEndpoint?: SecretRef;
  readonly updateTriggerPayloadType: 'Default' | 'Token';
  /** Seconds that a run waits for further updates before it starts. Absent: the daemon's (30). */
  readonly window?: number;
  /** Seconds between looks at a registry, a random number between the two. Absent: the daemon's (600 to 3600); at least 60. */
  readonly poll?: { readonly least: number; readonly most: number };
  /** Any change of a multi-platform index counts, not only of the platform's own manifest. */
  readonly trackIndex: boolean;
  readonly tracks: readonly ImageTrack[];
}

/**
 * What counts as an update of one base image, and what is built on. `digest`: the tag as written has a new digest (ACR). `semver`, `regex`: the
 * newest tag that satisfies the pattern; builds use it in place of the tag that is written.
 */
export interface ImageTrack {
  /** Repository as it is written in the Dockerfile, without tag. */
  readonly image: string;
  readonly by: 'digest' | 'semver' | 'regex';
  /** A range, as `~1.2`; or an RE2 pattern of whole tags, whose first group (or all) is compared as numbers and text. Absent for `digest`. */
  readonly pattern?: string;
}

export interface AfterTrigger {
  readonly name: string;
  readonly status: TriggerStatus;
  /** The task whose runs are followed. */
  readonly task: string;
  /** When a run of it succeeded, or when one pushed an image (and succeeded). */
  readonly on: 'succeeded' | 'pushed';
}

export const NO_TRIGGERS: TaskTriggers = { sourceTriggers: [], timerTriggers: [], afterTriggers: [] };

/** Tasks stored by versions that knew no triggers have none. */
export function triggersOf(definition: Pick<TaskDefinition, 'trigger'>): TaskTriggers {
  return definition.trigger ?? NO_TRIGGERS;
}
