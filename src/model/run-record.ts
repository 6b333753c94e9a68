import type { BaseImage, BuiltImage, ImageDependencies, PushedImage } from './image.ts';
import type { RunStatus, StepOutcomeStatus } from './run-event.ts';
import type { RunApproval, RunHold } from './run-hold.ts';
import type { TaskCredential, TaskPlatform, TaskPolicy, TaskStepDefinition } from './task-definition.ts';

/** Statuses that nothing leaves. */
export const TERMINAL_STATUSES = ['Succeeded', 'Failed', 'Canceled', 'Error', 'Timeout'] as const satisfies readonly RunStatus[];
export type TerminalStatus = (typeof TERMINAL_STATUSES)[number];

/** Whether a run with this status has ended: nothing changes it any more. */
export function isTerminal<Run extends { readonly status: RunStatus }>(run: Run): run is Run & { readonly status: TerminalStatus } {
  return TERMINAL_STATUSES.some((terminal) => terminal === run.status);
}
export const ACTIVE_STATUSES = ['Started', 'Running'] as const satisfies readonly RunStatus[];

export type RunType = 'QuickBuild' | 'QuickRun' | 'AutoBuild' | 'AutoRun';

/** `untrusted`: runs of forked pull requests; they get no secrets, no credentials to push and no special rights, from birth. */
export type TrustClass = 'trusted' | 'untrusted';

/** Why a run is there, nearest cause first. A chain: a base image was pushed by a run, which a commit had asked for. */
export type Cause =
  | { readonly kind: 'manual'; readonly principal: string; readonly from: string }
  | { readonly kind: 'rerun'; readonly principal: string; readonly run: string }
  | {
      readonly kind: 'source';
      readonly event: 'commit' | 'pullrequest' | 'tag';
      readonly trigger: string;
      readonly repositoryUrl: string;
      readonly branch?: string;
      readonly tag?: string;
      readonly commit: string;
      readonly pullRequest?: string;
      readonly provider: string;
      readonly eventId?: string;
    }
  | {
      readonly kind: 'image-update';
      readonly trigger: string;
      readonly images: readonly UpdatedImage[];
      readonly eventId?: string;
      /** The run of this daemon that pushed it, and its task. */
      readonly run?: string;
      readonly task?: string;
    }
  | { readonly kind: 'timer'; readonly trigger: string; readonly occurrence: string; readonly late?: boolean; readonly eventId?: string }
  | { readonly kind: 'after'; readonly task: string; readonly run: string; readonly eventId?: string };

export interface UpdatedImage {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  /** Of what the tag names: the index of a multi-platform image. */
  readonly digest: string;
  /** Likewise, of what the last successful build used; absent before one. */
  readonly before?: string;
}

/** `reference` as in the Dockerfile, `use` with the tag that the task's tracks chose. */
export interface ChosenBase {
  readonly reference: string;
  readonly use: string;
  /** Why the registry could not be asked for newer tags when it should have been: for people. */
  readonly unchecked?: string;
}

/**
 * The one thing that the run service accepts, whatever asked for it: everything that decides what a run does, with the
 * task's definition already folded in. Immutable once stored; a rerun uses it again.
 */
export interface RunRequest {
  /** Absent for quick runs. */
  readonly task?: string;
  readonly runType: RunType;
  readonly step: TaskStepDefinition;
  readonly platform: TaskPlatform;
  readonly cpu: number;
  /** Seconds. */
  readonly timeout: number;
  readonly registry: string;
  readonly credentials: readonly TaskCredential[];
  readonly policy: TaskPolicy;
  readonly trust: TrustClass;
  readonly agentPoolName: string;
  readonly priority: number;
  /** Already expanded. */
  readonly concurrency?: {
    readonly group: string;
    readonly limit: number;
    readonly onConflict: 'queue' | 'cancel-pending' | 'cancel-running' | 'skip';
  };
  readonly maxParallelRuns?: number;
  /** Seconds in the queue, while nothing holds it, before it ends as Timeout. */
  readonly queueTimeout?: number;
  /** `.Run.*` that the cause decides; the agent adds what it finds in the context. */
  readonly variables: Partial<Record<'Commit' | 'Branch' | 'Repository' | 'GitTag' | 'TriggeredBy', string>>;
  readonly causes: readonly Cause[];
  /** The fetched commit must be this one. */
  readonly pinnedCommit?: string;
  /** A ref of the context's repository that leads to `pinnedCommit`, for servers that serve no commit by its id: `refs/pull/5/head`. */
  readonly pinnedRef?: string;
  /** The task file and its values are read from this git context instead of the run's own: of forked pull requests the base's commit (`URL#COMMIT:dir`). */
  readonly taskFileContext?: string;
  /** Base images that builds take otherwise than written. */
  readonly baseImages?: readonly ChosenBase[];
  /** Counts against the cap of runs that no person or commit asked for (base images), which is the daemon's. */
  readonly background?: boolean;
  /** Exit conditions have their evident meaning (docs/acr-compatibility.md). */
  readonly extended: boolean;
  readonly noPush: boolean;
  readonly keepGoing: boolean;
  /** Environment of every step that does not set it: `NAME=value`. */
  readonly env: readonly string[];
  readonly updateTriggerToken?: string;
}

/** How one step of a run stands. A view over the run's events. Times are ISO 8601 in UTC. */
export interface StepRecord {
  readonly id: string;
  readonly kind: 'cmd' | 'build' | 'push';
  readonly needs: readonly string[];
  readonly status: 'pending' | 'running' | StepOutcomeStatus;
  readonly attempts: number;
  readonly startTime?: string;
  readonly finishTime?: string;
  readonly durationMs?: number;
  readonly exitCode?: number;
  readonly reason?: string;
  readonly errorCode?: string;
  readonly ignored?: boolean;
  /** What runs: image and command line as people read it, and the container's id once there is one. */
  readonly detail?: string;
  readonly container?: string;
}

/** A run as stored. `attempt` is the fencing token: it grows at each claim, and every write of an agent must carry it. */
export interface RunRecord {
  /** Short, sortable in order of creation: see model/run-id.ts. */
  readonly id: string;
  /** The number of the run on this daemon, from 1. */
  readonly number: number;
  readonly request: RunRequest;
  readonly status: RunStatus;
  readonly createTime: string;
  readonly lastUpdatedTime: string;
  readonly startTime?: string;
  readonly finishTime?: string;
  /** 0 until the first claim. */
  readonly attempt: number;
  readonly agent?: string;
  /** Times that an agent was lost with it or the preparation crashed; quarantined (ended as Error) at 3. */
  readonly crashes: number;
  readonly cancel?: { readonly at: string; readonly by: string; readonly reason: string };
  readonly archived: boolean;
  /** Present while it is queued and not to be claimed. */
  readonly hold?: RunHold;
  readonly approval?: RunApproval;
  readonly steps: readonly StepRecord[];
  readonly images: readonly PushedImage[];
  readonly built: readonly BuiltImage[];
  readonly baseImages: readonly (BaseImage & { readonly step: string })[];
  readonly dependencies: readonly ImageDependencies[];
  /** What the agent found in the context. */
  readonly source?: { readonly commit?: string; readonly branch?: string; readonly repository?: string };
  readonly error?: { readonly step?: string; readonly message: string; readonly errorCode?: string };
  /** Number of the last event. */
  readonly lastEvent: number;
}

/** The cheap part of a run, for lists. */
export type RunSummary = Pick<
  RunRecord,
  'id' | 'number' | 'status' | 'createTime' | 'startTime' | 'finishTime' | 'lastUpdatedTime' | 'archived' | 'attempt' | 'error'
> & {
  readonly task?: string;
  readonly runType: RunType;
  readonly platform: TaskPlatform;
  readonly agentPoolName: string;
  readonly trust: TrustClass;
  readonly causes: readonly Cause[];
  readonly branch?: string;
  readonly commit?: string;
  readonly images: readonly PushedImage[];
  readonly priority: number;
};

/** ACR's `Trigger` column: the event of a source, `Timer`, `Image Update`, or `Manual`. */
export function triggerWord(causes: readonly Cause[]): string {
  const [first] = causes;
  switch (first?.kind) {
    case 'source':
      return first.event === 'pullrequest' ? 'Pull Request' : first.event === 'tag' ? 'Tag' : 'Commit';
    case 'image-update':
      return 'Image Update';
    case 'timer':
      return 'Timer';
    case 'after':
      return 'After';
    default:
      return 'Manual';
  }
}
