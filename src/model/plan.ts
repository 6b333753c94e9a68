/**
 * What an engine needs to execute one task: immutable plain JSON (it goes over the wire to an agent unchanged).
 * It holds no status. Only `task/compile-plan.ts` makes one. All times are milliseconds.
 */
export interface Plan {
  readonly formatVersion: 1;
  readonly taskName: string;
  readonly registry: string;
  readonly networks: readonly PlanNetwork[];
  readonly volumes: readonly PlanVolume[];
  /** In file order, which is a topological order: `needs` only names earlier steps. */
  readonly steps: readonly PlanStep[];
}

export interface PlanNetwork {
  /** The name in the task file; the engine derives a name unique to the run unless `existing`. */
  readonly name: string;
  readonly driver: string;
  readonly ipv6: boolean;
  /** `skipCreation`: a network of that very name exists already and is left alone. */
  readonly existing: boolean;
}

export interface PlanVolume {
  readonly name: string;
  /** File name to base64 of its exact bytes. */
  readonly files: Readonly<Record<string, string>>;
}

export type PlanStep = PlanCmdStep | PlanBuildStep | PlanPushStep;

export interface PlanStepCommon {
  readonly id: string;
  readonly needs: readonly string[];
  /** Length of the longest chain of steps from this one to the end, itself included: ready steps start by the largest weight. */
  readonly weight: number;
  readonly timeoutMs: number;
  readonly startDelayMs: number;
  readonly ignoreErrors: boolean;
  readonly retries: number;
  readonly retryDelayMs: number;
  readonly retryOnErrors: readonly string[];
  readonly repeat: number;
  /** Only under `--extended`: see docs/acr-compatibility.md. */
  readonly edgeCondition?: { readonly exitedWith: readonly number[]; readonly exitedWithout: readonly number[] };
}

export interface PlanCmdStep extends PlanStepCommon {
  readonly kind: 'cmd';
  readonly container: ContainerSpec;
  readonly detach: boolean;
  readonly keep: boolean;
  readonly pull?: { readonly retries: number; readonly retryDelayMs: number };
}

/** One container, engine-neutral: image, arguments and environment are final words, no shell text is left in them. */
export interface ContainerSpec {
  readonly image: string;
  readonly args: readonly string[];
  /** Replaces the image's entrypoint: first word, further words go before `args`. */
  readonly entrypoint?: readonly string[];
  /** `NAME=value`, later duplicates win; `HOME=/acb/home` is already first. `NAME` alone copies the engine host's variable. */
  readonly env: readonly string[];
  /** Absolute, cleaned; absent with `disableWorkingDirectoryOverride`. */
  readonly workdir?: string;
  readonly user?: string;
  /**
   * - `default`: the engine's built-in bridge, where names do not resolve;
   * - `task`: a network of Plan.networks by its task-file name;
   * - `mode`: `host`, `none`, `container:…` or the name of a network that exists outside the run.
   */
  readonly network:
    | { readonly kind: 'default' }
    | { readonly kind: 'task'; readonly name: string }
    | { readonly kind: 'mode'; readonly mode: string };
  readonly ports: readonly string[];
  readonly expose: readonly string[];
  readonly privileged: boolean;
  readonly cpus?: string;
  readonly isolation?: string;
  readonly platform?: string;
  /** Secret volumes of the task. Workspace, home and (where policy allows) the docker socket are added by the engine. */
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  /** docker-run flags the author wrote before the image, parsed. */
  readonly extra: DockerRunFlags;
}

/** The docker-run flags accepted before the image of a `cmd`; values are validated words in docker's own syntax. */
export interface DockerRunFlags {
  readonly tty?: boolean;
  readonly interactive?: boolean;
  readonly init?: boolean;
  readonly readOnly?: boolean;
  readonly memory?: string;
  readonly memorySwap?: string;
  readonly cpuShares?: number;
  readonly cpusetCpus?: string;
  readonly pidsLimit?: number;
  readonly shmSize?: string;
  readonly ulimits?: readonly string[];
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  readonly securityOpt?: readonly string[];
  readonly devices?: readonly string[];
  readonly dns?: readonly string[];
  readonly addHost?: readonly string[];
  readonly hostname?: string;
  readonly labels?: readonly string[];
  readonly mounts?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly volumesFrom?: readonly string[];
  readonly volumes?: readonly string[];
  readonly groupAdd?: readonly string[];
  readonly sysctls?: readonly string[];
  readonly pid?: string;
  readonly ipc?: string;
  readonly stopSignal?: string;
  readonly networkAlias?: readonly string[];
  readonly runtime?: string;
  readonly pull?: 'always' | 'missing' | 'never';
}

export interface PlanBuildStep extends PlanStepCommon {
  readonly kind: 'build';
  readonly build: BuildSpec;
}

/** One image build, every flag of `docker build` that an engine can express, already split into words. */
export interface BuildSpec {
  readonly context: BuildContextRef;
  /** As written after `-f`; `-` reads the Dockerfile from standard input. Absent: `Dockerfile` of the context. */
  readonly dockerfile?: string;
  readonly tags: readonly string[];
  /** `NAME=value`, or `NAME` alone to take the value from the step's environment. */
  readonly buildArgs: readonly string[];
  readonly target?: string;
  readonly platforms: readonly string[];
  readonly noCache: boolean;
  readonly pull: 'auto' | 'always' | 'never';
  readonly labels: readonly string[];
  readonly network?: string;
  readonly addHosts: readonly string[];
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
  readonly shmSize?: string;
  readonly ulimits: readonly string[];
  readonly memory?: string;
  readonly memorySwap?: string;
  readonly cpuShares?: number;
  readonly cpuPeriod?: number;
  readonly cpuQuota?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly cgroupParent?: string;
  readonly isolation?: string;
  readonly squash: boolean;
  readonly securityOpt: readonly string[];
  /** As written: `id=…,src=…` or `id=…,env=…`. */
  readonly secrets: readonly string[];
  /** As written: `default` or `id=path`. */
  readonly ssh: readonly string[];
  readonly outputs: readonly string[];
  readonly buildContexts: readonly string[];
  readonly iidfile?: string;
  readonly metadataFile?: string;
  readonly quiet: boolean;
  readonly progress: 'auto' | 'plain' | 'tty' | 'rawjson' | 'quiet';
  /** `cache: enabled`: the cache reference computed from the first tag, the task name and the step id. */
  readonly cacheRef?: string;
  /** The step's merged environment, unquoted: values for bare build args and `env=` secrets. */
  readonly env: readonly string[];
  /** Absolute path in the run's workspace where relative paths start. */
  readonly workdir: string;
}

/** Spec: context kinds. `ref` and `subdir` come from the fragment `#ref:subdir`. */
export type BuildContextRef =
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'git'; readonly url: string; readonly ref: string; readonly subdir: string }
  | { readonly kind: 'archive'; readonly url: string; readonly subdir: string }
  | { readonly kind: 'oci'; readonly reference: string }
  | { readonly kind: 'stdin' }
  | { readonly kind: 'none' };

export interface PlanPushStep extends PlanStepCommon {
  readonly kind: 'push';
  readonly images: readonly string[];
}
