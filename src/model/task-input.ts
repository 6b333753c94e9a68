import type { TaskConcurrency, TaskPlatform, TaskPolicy, TaskStepDefinition } from './task-definition.ts';
import type { AfterTrigger, BaseImageTrigger, ImageTrack, SourceRepository, SourceTrigger, TimerTrigger } from './trigger-definition.ts';

/**
 * What people write for a secret value. `plain`: the value itself, sealed before it is stored. `secret`: a secret of the daemon by name.
 * `stored`: what the task has at this place already, so that an answer can be sent back.
 */
export type SecretInput = { readonly plain: string } | { readonly secret: string } | { readonly stored: true };

/** Of a secret argument a bare text is the value itself. */
export type ArgumentInput =
  | { readonly name: string; readonly value: string; readonly isSecret?: false }
  | { readonly name: string; readonly value: string | SecretInput; readonly isSecret: true };

/** Which fields may stand together depends on the type; the type follows from the fields when it is left out. */
export interface StepInput {
  readonly type?: TaskStepDefinition['type'];
  readonly contextPath?: string;
  readonly contextAccessToken?: SecretInput;
  readonly dockerFilePath?: string;
  readonly imageNames?: readonly string[];
  readonly isPushEnabled?: boolean;
  readonly noCache?: boolean;
  readonly target?: string;
  readonly arguments?: readonly ArgumentInput[];
  readonly taskFilePath?: string;
  readonly valuesFilePath?: string;
  readonly values?: readonly ArgumentInput[];
  /** Base64. */
  readonly encodedTaskContent?: string;
  readonly encodedValuesContent?: string;
}

export interface CredentialInput {
  readonly loginServer: string;
  readonly userName: SecretInput | string;
  readonly password: SecretInput;
}

/** A name that is left out is ACR's `defaultSourceTriggerName`. Without a URL: the repository of the context; without a type: by the host. */
export type SourceTriggerInput = Partial<Omit<SourceTrigger, 'sourceRepository' | 'paths'>> & {
  readonly paths?: Partial<SourceTrigger['paths']>;
  readonly sourceRepository?: Partial<Omit<SourceRepository, 'sourceControlAuthProperties'>> & {
    readonly sourceControlAuthProperties?: { readonly tokenType?: 'PAT' | 'OAuth'; readonly token: SecretInput };
  };
};

/** Names that are left out are `t1`, `t2`, …, as in ACR. */
export type TimerTriggerInput = Pick<TimerTrigger, 'schedule'> & Partial<TimerTrigger>;

export type BaseImageTriggerInput = Partial<Omit<BaseImageTrigger, 'updateTriggerEndpoint' | 'tracks'>> & {
  readonly updateTriggerEndpoint?: SecretInput;
  readonly tracks?: readonly (Pick<ImageTrack, 'image'> & Partial<ImageTrack>)[];
};

/** A name that is left out is `after-TASK`. */
export type AfterTriggerInput = Pick<AfterTrigger, 'task'> & Partial<AfterTrigger>;

/** What is left out of it is not there; `{}` is a task that only people start. */
export interface TriggersInput {
  readonly sourceTriggers?: readonly SourceTriggerInput[];
  readonly timerTriggers?: readonly TimerTriggerInput[];
  readonly baseImageTrigger?: BaseImageTriggerInput;
  readonly afterTriggers?: readonly AfterTriggerInput[];
}

/** A task as people define it, its shape checked and nothing else: what is left out gets its default. */
export interface TaskInput {
  readonly name: string;
  readonly step: StepInput;
  readonly status?: 'Enabled' | 'Disabled';
  readonly platform?: Partial<TaskPlatform>;
  readonly agentConfiguration?: { readonly cpu: number };
  readonly timeout?: number;
  readonly registry?: string;
  readonly credentials?: readonly CredentialInput[];
  readonly agentPoolName?: string;
  readonly priority?: number;
  readonly maxParallelRuns?: number;
  readonly concurrency?: Pick<TaskConcurrency, 'group'> & Partial<TaskConcurrency>;
  readonly policy?: Partial<TaskPolicy>;
  /** Left out: what ACR starts a task by (`src/service/tasks/default-triggers.ts`). */
  readonly trigger?: TriggersInput;
  readonly tags?: Readonly<Record<string, string>>;
}
