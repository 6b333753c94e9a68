import type { SourceControlType } from './trigger-definition.ts';

/**
 * Something that happened, as told by a webhook, found by a look, or due by the clock. It is a hint: what is done about it is decided by
 * comparing states. Stored before it is answered; each `dedupKey` once.
 */
export interface TriggerEvent {
  /** `e` and the number in decimal: `e17`. Sortable by `number`. */
  readonly id: string;
  readonly number: number;
  /** Names the happening, however often it is told: `hook:ID:DELIVERY:0`, `poll:…`, `timer:TASK-ID:NAME:2026-01-01T00:00:00.000Z`. */
  readonly dedupKey: string;
  readonly origin: 'webhook' | 'poll' | 'notification' | 'timer' | 'run' | 'manual' | 'replay';
  readonly happening: Happening;
  readonly receivedAt: string;
  /** `pending`: not yet decided on. `settled`: see its decisions. `failed`: given up; `error` says why. */
  readonly status: 'pending' | 'settled' | 'failed';
  /** Times that deciding was begun, since it was last postponed for a reason that passes. */
  readonly attempts: number;
  /** When it is tried again. */
  readonly retryAt?: string;
  readonly error?: string;
  readonly settledAt?: string;
  /** The event that this one repeats. */
  readonly replayOf?: string;
}

export interface NewTriggerEvent {
  readonly dedupKey: string;
  readonly origin: TriggerEvent['origin'];
  readonly happening: Happening;
  readonly replayOf?: string;
}

/** A repository as a forge names it. */
export interface SourceRepositoryId {
  readonly forge: SourceControlType;
  /** Stable id of the forge; absent when it tells none. */
  readonly id?: string;
  /** HTTP(S) clone URL without credentials. */
  readonly url: string;
  readonly fullName?: string;
  readonly defaultBranch?: string;
}

interface RefChange {
  readonly repository: SourceRepositoryId;
  /** Full name: `refs/heads/main`. */
  readonly ref: string;
  /** 40 or 64 hex digits; all zero for a new ref. */
  readonly before: string;
  /** The commit (of an annotated tag: peeled where the forge says it); all zero for a deleted ref. */
  readonly after: string;
  readonly forced?: boolean;
  /** Whom the forge has authenticated; never the author of a commit. */
  readonly actor?: string;
  readonly hook?: string;
}

export interface PullRequestHappening {
  readonly kind: 'pull-request';
  readonly repository: SourceRepositoryId;
  readonly number: string;
  /** Only these start runs: new, reopened, new commits, another target branch. The rest is `other`. */
  readonly action: 'opened' | 'reopened' | 'synchronized' | 'retargeted' | 'closed' | 'other';
  /** May be abbreviated (Bitbucket: 12 digits). */
  readonly headSha: string;
  readonly headBranch: string;
  /** Ref of `repository` that has the head: `refs/pull/5/head`; absent where the forge has none. */
  readonly headRef?: string;
  /** Clone URL of the repository that has the head; absent when it is gone. */
  readonly headUrl?: string;
  readonly baseBranch: string;
  readonly baseSha?: string;
  /** By ids; true when in doubt. */
  readonly fork: boolean;
  readonly actor?: string;
  readonly hook?: string;
}

/** A tag of a registry, normalised: `docker.io`, `library/node`, `20`. */
export interface ImageTag {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
}

export type Happening =
  | ({ readonly kind: 'push' } & RefChange)
  | ({ readonly kind: 'tag' } & RefChange)
  | PullRequestHappening
  /** Something happened there, whatever it was: look. */
  | { readonly kind: 'repository'; readonly repository: SourceRepositoryId; readonly hook?: string }
  /** A registry, or a run of this daemon, says that a tag was pushed: look. */
  | { readonly kind: 'image'; readonly image: ImageTag; readonly digest?: string; readonly hook?: string; readonly run?: string }
  /** A look found another digest. `platforms`: of each platform that is followed (`os/arch[/variant]`). */
  | {
      readonly kind: 'image-changed';
      readonly image: ImageTag;
      readonly indexDigest: string;
      readonly platforms: Readonly<Record<string, string>>;
      readonly previous: string;
      /** Found by a pattern: the tag that was the newest before. */
      readonly previousTag?: string;
      /** The run of this daemon that pushed it. */
      readonly run?: string;
      /** Key of the target (ImageWatchStore) that was looked at. */
      readonly target?: string;
      /** As `platforms`, of `previous`. */
      readonly previousPlatforms?: Readonly<Record<string, string>>;
      /** Name of the one task that it is about; all that follow the image otherwise. */
      readonly task?: string;
    }
  | {
      readonly kind: 'timer';
      readonly task: string;
      readonly taskId: string;
      readonly trigger: string;
      readonly occurrence: string;
      readonly late: boolean;
    }
  | { readonly kind: 'run-ended'; readonly run: string; readonly task?: string; readonly status: string }
  | { readonly kind: 'manual'; readonly task: string; readonly by: string };

/** What came of an event for one trigger of one task, or (without a task) for nobody. Kept for `task explain`. */
export interface TriggerDecision {
  readonly event: string;
  readonly at: string;
  readonly task?: string;
  readonly trigger?: string;
  /** `run`: it made `run`. `joined`: it was added to `run`, which waits. `posted`: it was told to the task's endpoint. `skipped`: nothing, because of `code`. */
  readonly outcome: 'run' | 'joined' | 'posted' | 'skipped';
  readonly code: DecisionCode;
  /** One sentence for people, with the values that decided. */
  readonly because: string;
  readonly run?: string;
}

/** Why; `fired` and `joined` for what did run. docs/triggers.md has a line for each (`scripts/lib/decisions-table.ts`). */
export const DECISION_CODES = [
  'fired',
  'joined',
  'posted',
  'already-fired',
  'no-trigger',
  'task-disabled',
  'trigger-disabled',
  'event-off',
  'branch-filter',
  'tag-filter',
  'path-filter',
  'skip-ci',
  'ref-deleted',
  'not-head',
  'superseded',
  'first-sight',
  'fork-ignored',
  'action-ignored',
  'same-digest',
  'looked',
  'not-in-scope',
  'unreachable',
  'already-in-chain',
  'chain-too-long',
  'waits-for-base',
  'overlap',
  'missed',
  'status-not-followed',
  'task-gone',
] as const;
export type DecisionCode = (typeof DECISION_CODES)[number];

/** Whether an object id stands for "none": a ref that was created or deleted. */
export function isZeroId(id: string): boolean {
  return /^0+$/.test(id);
}
