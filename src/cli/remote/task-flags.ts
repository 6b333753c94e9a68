import type { Assignment } from '../flags/option-values.ts';
import type { TriggerFlags } from '../flags/trigger-flags.ts';

/** The flags of `task create` and `task update`, as commander gives them; nothing is there unless it was given. */
export interface TaskDefinitionFlags extends TriggerFlags {
  readonly context?: string;
  readonly branch: readonly string[];
  readonly gitAccessToken?: string;
  readonly file?: string;
  readonly cmd?: string;
  readonly image: readonly string[];
  readonly values?: string;
  readonly arg: readonly string[];
  readonly secretArg: readonly string[];
  readonly set: readonly Assignment[];
  readonly setSecret: readonly Assignment[];
  readonly target?: string;
  readonly push?: boolean;
  readonly cache?: boolean;
  readonly platform?: string;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly cpu?: number;
  readonly registry?: string;
  readonly status?: 'Enabled' | 'Disabled';
  readonly agentPool?: string;
  readonly priority?: number;
  readonly maxParallel?: number;
  readonly concurrencyGroup?: string;
  readonly concurrencyLimit?: number;
  readonly onConflict?: 'queue' | 'cancel-pending' | 'cancel-running' | 'skip';
  readonly allowPrivileged?: boolean;
  readonly allowHostMounts?: boolean;
  readonly allowDockerSocket?: boolean;
  readonly label: readonly Assignment[];
}
