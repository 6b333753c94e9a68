import type { TaskTriggers } from './trigger-definition.ts';

/**
 * A task as it is defined on a daemon: once, to be run many times. The names are those of ACR's task resource where it has one; what is
 * Slipway's own stands in fields that ACR has not. Plain JSON. Secret values never stand in it: only where they are.
 */
export interface TaskDefinition {
  /** `^[a-z0-9][a-z0-9._-]{0,62}$`; unique on the daemon. */
  readonly name: string;
  readonly status: 'Enabled' | 'Disabled';
  readonly platform: TaskPlatform;
  readonly agentConfiguration: { readonly cpu: number };
  /** Of one run, in seconds. */
  readonly timeout: number;
  readonly step: TaskStepDefinition;
  /** `.Run.Registry`, and what untagged image names are pushed to; the daemon's registry unless given. */
  readonly registry?: string;
  readonly credentials: readonly TaskCredential[];
  /** Which agents take its runs. */
  readonly agentPoolName: string;
  /** Larger runs first; 0 by default, from -100 to 100. */
  readonly priority: number;
  /** Most runs of this task at once; no limit unless given. */
  readonly maxParallelRuns?: number;
  readonly concurrency?: TaskConcurrency;
  /** What an admin lets its runs do; false for everything unless given. */
  readonly policy: TaskPolicy;
  /** Read it through `triggersOf`. */
  readonly trigger?: TaskTriggers;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface TaskPlatform {
  readonly os: string;
  /** Go name: amd64, arm64, arm, 386. */
  readonly architecture: string;
  readonly variant?: string;
}

/** `Docker`: one Dockerfile. `FileTask`: a task file in the context. `EncodedTask`: a task file that the definition holds (base64). */
export type TaskStepDefinition =
  | (StepSource & {
      readonly type: 'Docker';
      readonly dockerFilePath: string;
      readonly imageNames: readonly string[];
      readonly isPushEnabled: boolean;
      readonly noCache: boolean;
      readonly target?: string;
      readonly arguments: readonly TaskArgument[];
    })
  | (StepSource & {
      readonly type: 'FileTask';
      readonly taskFilePath: string;
      readonly valuesFilePath?: string;
      readonly values: readonly TaskArgument[];
    })
  | (StepSource & {
      readonly type: 'EncodedTask';
      readonly encodedTaskContent: string;
      readonly encodedValuesContent?: string;
      readonly values: readonly TaskArgument[];
    });

interface StepSource {
  /** git or archive URL, `oci://…`, `upload:SHA256` (a context that was sent), or absent for none (`/dev/null`). */
  readonly contextPath?: string;
  /** Token for the context: a secret of the daemon by name. */
  readonly contextAccessToken?: SecretRef;
}

/** `value` of a plain argument; a secret one names a secret of the daemon, or is sealed with the run or task it came with. */
export type TaskArgument =
  | { readonly name: string; readonly value: string; readonly isSecret: false }
  | { readonly name: string; readonly value: SecretRef; readonly isSecret: true };

/**
 * Where a secret value is: a secret of the daemon by name, or `sealed`, a text that only the daemon's key opens (bound to the row
 * it stands in). What an API client sends as `{ plain }` is sealed before it is stored; answers never hold it.
 */
export type SecretRef = { readonly secret: string } | { readonly sealed: string };

export interface TaskCredential {
  /** Registry host, `host` or `host:port`. */
  readonly loginServer: string;
  readonly userName: SecretRef | string;
  readonly password: SecretRef;
}

export interface TaskConcurrency {
  /** Runs of one group exclude one another, over tasks. `${task}`, `${branch}`, `${commit}`, `${pullRequest}` are replaced. */
  readonly group: string;
  /** Most runs of the group at once, from 1. */
  readonly limit: number;
  /**
   * When the group is full: `queue` waits; `cancel-pending` cancels what waits in the group and waits; `cancel-running` cancels what waits
   * and what runs; `skip` ends the new run as Canceled at once.
   */
  readonly onConflict: 'queue' | 'cancel-pending' | 'cancel-running' | 'skip';
}

/** Never holds for runs of class `untrusted`, whatever the task says. */
export interface TaskPolicy {
  readonly privileged: boolean;
  readonly hostMounts: boolean;
  readonly dockerSocket: boolean;
}

/** As stored: the definition, who changed it last, and the version that an update must name (etag). */
export interface TaskRecord {
  readonly definition: TaskDefinition;
  /** Of the row, for ever: a task deleted and made anew has another. */
  readonly id: string;
  /** Counts up by one at each change, from 1. */
  readonly version: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Set while a file of `tasks.d` or `task apply` owns it: changes by hand are refused unless forced. */
  readonly managedBy?: string;
}
