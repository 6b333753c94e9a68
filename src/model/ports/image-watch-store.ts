import type { BaseImage } from '../image.ts';
import type { ImageTag, NewTriggerEvent } from '../trigger-event.ts';

/** An image that a task's builds are made from. */
export interface ImageDependency {
  readonly taskId: string;
  readonly task: string;
  readonly step: string;
  /** `os/arch[/variant]`; empty when it is not resolved for one. */
  readonly platform: string;
  readonly image: ImageTag;
  /** As in the Dockerfile. */
  readonly written: string;
  readonly role: BaseImage['role'];
  /** Empty until something resolved it. */
  readonly indexDigest: string;
  readonly platformDigest: string;
  readonly resolvedAt: string;
  readonly run?: string;
  /** `static`: read from the task's files. `built`: used by its last successful build. `attempted`: by one that failed later than that. */
  readonly state: 'static' | 'built' | 'attempted';
}

/** A tag that a task pushes; `tag` is empty when each run makes its own. */
export interface ImageOutput {
  readonly taskId: string;
  readonly task: string;
  readonly image: ImageTag;
  readonly state: 'static' | 'pushed';
  readonly run?: string;
}

/** What is asked of registries: one row for each tag and credential, however many tasks follow it. */
export interface ImageTarget {
  readonly key: string;
  readonly image: ImageTag;
  /** Which credential: the name of a task's, or `default`. */
  readonly credential: string;
  /** A pattern that is followed instead of the tag: `semver:~1.2`, `regex:…`; empty for the tag. */
  readonly pattern: string;
  /** Seconds between looks. */
  readonly poll: { readonly least: number; readonly most: number };
  /** `os/arch` of the tasks that follow it. */
  readonly platforms: readonly string[];
}

export interface ImageTargetState extends ImageTarget {
  /** Empty until the first look. */
  readonly indexDigest: string;
  readonly digests: Readonly<Record<string, string>>;
  /** Of a pattern: the newest tag that satisfies it. */
  readonly newestTag: string;
  readonly checkedAt?: string;
  readonly nextCheck: string;
  readonly status: 'new' | 'ok' | 'unreachable' | 'missing';
  readonly error?: string;
  readonly failures: number;
}

export interface ImageWatchStore {
  /**
   * Replaces what was read of a task at its `version`; nothing happens when the task is gone or was read at a later one. What builds recorded
   * stays, except of steps that are no longer there. With an `error` and nothing found, what was read before stays.
   */
  setStatic(
    task: { readonly id: string; readonly name: string; readonly version: number },
    found: {
      readonly dependencies: readonly Pick<ImageDependency, 'step' | 'platform' | 'image' | 'written' | 'role'>[];
      readonly outputs: readonly ImageTag[];
      /** All steps that build. Without it, nothing that builds recorded is taken away. */
      readonly steps?: readonly string[];
      /** Why it could not be read, for people. */
      readonly error?: string;
    },
  ): Promise<void>;
  /** Version of the task that `setStatic` last saw, and its error. */
  analysis(taskId: string): Promise<{ readonly version: number; readonly at: string; readonly error?: string } | undefined>;
  /**
   * Of tasks, the best row of each (step, platform, reference): `built` before `attempted` before `static`; a static one without platform only
   * where there is no other. By task, step and reference. A reference of both roles is `runtime`.
   *
   * Written by `RunStore.finish`, in its transaction, for runs that show what their task is: of trusted code, of no pull request, with the
   * task's own context and files, while the task is there. Of a run that succeeded the rows replace all that builds of the task recorded, as
   * `built` (of steps that failed and were ignored, and of other runs, as `attempted`). Followed are references with a tag (or none: `latest`)
   * that a registry resolved, and none that is written with a digest.
   */
  dependencies(query: { readonly taskId?: string; readonly image?: Partial<ImageTag> }): Promise<readonly ImageDependency[]>;
  /** `pushed` before `static`. What the newest run that succeeded and pushed something pushed, and what was read; a tag with the run's own id in it is stored as none. */
  outputs(query: { readonly taskId?: string; readonly image?: Partial<ImageTag> }): Promise<readonly ImageOutput[]>;
  /** All rows of a task, whether it is gone (which forgets them by itself) or is followed no more. */
  forget(taskId: string): Promise<void>;
  /**
   * Makes these targets, and no others, followed; what is known of those that stay is kept. New ones, and those that have a new platform, are
   * due at once, those with a shorter interval within it.
   */
  sync(targets: readonly ImageTarget[]): Promise<void>;
  /** As `sync` for these targets alone; the others are let be. */
  change(change: { readonly follow: readonly ImageTarget[]; readonly unfollow: readonly string[] }): Promise<void>;
  /** Due ones, longest due first, leased for `leaseMs`: not due again until something is stored of them, or the lease is over. */
  due(query: { readonly limit: number; readonly leaseMs: number }): Promise<readonly ImageTargetState[]>;
  targets(query: { readonly image?: Partial<ImageTag>; readonly key?: string }): Promise<readonly ImageTargetState[]>;
  /** Stores what looks found together with the events that follow from it: one answer for each event, in order. What is no longer followed is let be, its events are recorded. */
  looked(
    looks: readonly {
      readonly key: string;
      readonly indexDigest: string;
      readonly digests: Readonly<Record<string, string>>;
      readonly newestTag: string;
      readonly nextCheck: string;
      readonly events: readonly NewTriggerEvent[];
    }[],
  ): Promise<readonly { readonly id: string; readonly fresh: boolean }[]>;
  failed(
    key: string,
    failure: { readonly status: 'unreachable' | 'missing'; readonly error: string; readonly nextCheck: string },
  ): Promise<void>;
  /** The newest run that pushed this digest under this tag, while its row is kept; `task` is empty for quick runs. */
  pusherOf(image: ImageTag, digest: string): Promise<{ readonly run: string; readonly task: string } | undefined>;
}
