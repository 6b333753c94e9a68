import type { BaseImage, BuiltImage, ImageDependencies, PushedImage } from './image.ts';

/** ACR's words. `Failed`: the user's step said no. `Error`: the engine could not do its work. */
export type RunStatus = 'Queued' | 'Started' | 'Running' | 'Succeeded' | 'Failed' | 'Canceled' | 'Error' | 'Timeout';

export type StepOutcomeStatus = 'succeeded' | 'failed' | 'errored' | 'skipped' | 'canceled';

/** Version of the event shapes below; raised when a reader of the old shape would misread the new one. */
export const RUN_EVENT_VERSION = 1;

/**
 * A fact about a run. Events are numbered from 1 without gaps per run; `at` is an ISO 8601 time in UTC.
 * The console, the store, the agent protocol, the event stream and commit statuses consume this one union.
 */
export type RunEvent = RunFact & {
  readonly version: typeof RUN_EVENT_VERSION;
  readonly seq: number;
  readonly at: string;
  readonly run: string;
};

export type RunFact =
  | {
      readonly type: 'run-started';
      readonly task: string;
      readonly registry: string;
      readonly engine: string;
      readonly steps: readonly { readonly id: string; readonly kind: 'cmd' | 'build' | 'push'; readonly needs: readonly string[] }[];
    }
  /** Something a person should know that changes no outcome. */
  | { readonly type: 'note'; readonly level: 'info' | 'warning'; readonly step?: string; readonly message: string }
  /** The step is ready and sits out its `startDelay`. */
  | { readonly type: 'step-delayed'; readonly step: string; readonly delayMs: number }
  | { readonly type: 'step-started'; readonly step: string; readonly attempt: number; readonly detail: string; readonly container?: string }
  /**
   * The container of the attempt exists and is about to start: only in runs that survive their process. The start waits until the event
   * is taken, so a step without it has started nothing.
   */
  | { readonly type: 'container-created'; readonly step: string; readonly attempt: number; readonly container: string }
  /**
   * Output of a step, masked. `text` holds whole lines separated by LF, without the last LF; invalid UTF-8 is replaced.
   * A reporter may split it; the JSON reporter prints one event a line of output. `partial`: the last line has not ended (the
   * program paused in the middle of it, or it is very long); the next event of this step and stream goes on with it.
   */
  | {
      readonly type: 'step-output';
      readonly step: string;
      readonly attempt: number;
      readonly stream: 'stdout' | 'stderr';
      readonly text: string;
      readonly partial?: true;
    }
  | {
      readonly type: 'build-progress';
      readonly step: string;
      readonly vertex: string;
      readonly name: string;
      readonly state: 'started' | 'running' | 'done' | 'cached' | 'failed';
      readonly current?: number;
      readonly total?: number;
      readonly durationMs?: number;
      readonly error?: string;
    }
  | {
      readonly type: 'transfer-progress';
      readonly step: string;
      readonly image: string;
      readonly direction: 'pull' | 'push';
      readonly layer: string;
      readonly state: string;
      readonly current?: number;
      readonly total?: number;
    }
  /** `attempt` is the one that failed (of a push or an explicit pull: of its image). */
  | { readonly type: 'step-retrying'; readonly step: string; readonly attempt: number; readonly delayMs: number; readonly because: string }
  /** `gitHead`, the revision of the build's git context, is told in runs that survive their process. */
  | { readonly type: 'base-images'; readonly step: string; readonly images: readonly BaseImage[]; readonly gitHead?: string }
  | ({ readonly type: 'image-built' } & BuiltImage)
  | ({ readonly type: 'image-pushed' } & PushedImage)
  | {
      readonly type: 'step-finished';
      readonly step: string;
      readonly status: StepOutcomeStatus;
      readonly attempts: number;
      readonly durationMs: number;
      readonly exitCode?: number;
      /** The failure was counted as success (`ignoreErrors`). */
      readonly ignored?: boolean;
      /** For `failed`, `errored`, `canceled` and `skipped`: why, as one sentence. */
      readonly because?: string;
      readonly timedOut?: boolean;
      readonly errorCode?: string;
    }
  | {
      readonly type: 'run-finished';
      readonly status: Extract<RunStatus, 'Succeeded' | 'Failed' | 'Canceled' | 'Error' | 'Timeout'>;
      readonly durationMs: number;
      readonly criticalPathMs: number;
      readonly images: readonly PushedImage[];
      readonly built: readonly BuiltImage[];
      readonly baseImages: readonly (BaseImage & { readonly step: string })[];
      readonly dependencies: readonly ImageDependencies[];
      /** The first failure by time. */
      readonly failure?: { readonly step?: string; readonly message: string; readonly errorCode?: string };
    };
