import type { BuildSpec, ContainerSpec, PlanNetwork, PlanVolume } from '../plan.ts';
import type { OpenedBuild, PreparedBuild } from './build-inputs.ts';
import type { CredentialSource } from './credential-source.ts';

/**
 * A container engine: runs containers, builds and pushes images. One instance serves many runs side by side.
 *
 * Every method may reject with an EngineError; a non-zero exit code of a container and a failing build instruction
 * are outcomes, not errors. Nothing here formats text for people.
 */
export interface ContainerEngine {
  /** Asks the engine who it is. Rejects with `engine-unreachable` when nothing answers. Cached after the first success. */
  describe(): Promise<EngineDescription>;
  /**
   * Opens the space of one run and returns at once with the cheap parts done; networks, holders, the workspace and
   * secret volumes may still be in the making: methods of the space wait for what they need.
   * Whatever it makes carries the run's labels. `destroy` must be called exactly once, whatever happened before.
   */
  openRun(spec: RunSpaceSpec): Promise<RunSpace>;
  /** An image of the engine's own store by reference or id, or undefined. Never pulls. */
  findImage(reference: string): Promise<EngineImage | undefined>;
  /**
   * Takes a tag off an image of the engine's own store, and with its last tag the image. `used`: a container still needs it, nothing was done.
   */
  removeImage(reference: string): Promise<'removed' | 'missing' | 'used'>;
  /**
   * Removes what runs that no longer live left behind (their process is gone), touching only things with our labels.
   * Idempotent. `olderThanMs` protects what another process is just making.
   */
  collect(options: {
    readonly olderThanMs: number;
    readonly dryRun: boolean;
    readonly signal?: AbortSignal;
  }): Promise<readonly CollectedThing[]>;
  /**
   * Removes what runs of a durable owner (`RunSpaceSpec.owner`) left behind whose space is not live; nothing of anybody else. Removals
   * run side by side and each has a limit of its own, so one that hangs holds up nothing. Returns what was removed.
   */
  collectRuns(options: {
    readonly owner: string;
    /** Space ids. Asked for when it is known what is there: what a run makes that begins meanwhile is left alone. */
    live(): ReadonlySet<string> | Promise<ReadonlySet<string>>;
    readonly signal?: AbortSignal;
  }): Promise<readonly CollectedThing[]>;
  /** Closes connections. Nothing else may be called afterwards. */
  close(): Promise<void>;
}

export interface EngineDescription {
  readonly kind: 'docker' | 'podman' | 'fake';
  readonly version: string;
  readonly apiVersion: string;
  /** BuildKit through the session API. */
  readonly buildkit: boolean;
  readonly os: string;
  /** Go name: amd64, arm64, arm, 386. */
  readonly architecture: string;
  readonly cpus: number;
  /** It has an init for containers (`docker-init`). */
  readonly init?: boolean;
  /** How it was reached, for people: a socket path or URL without credentials. */
  readonly endpoint: string;
}

export interface EngineImage {
  readonly id: string;
  readonly tags: readonly string[];
  /** `repository@sha256:…` */
  readonly repoDigests: readonly string[];
  readonly os: string;
  readonly architecture: string;
}

export interface CollectedThing {
  readonly kind: 'container' | 'network' | 'volume' | 'image';
  readonly id: string;
  readonly name: string;
  readonly run: string;
}

/** Steps of the plan that never run at the same time and so share one network namespace (decided in run/network-lanes.ts). */
export interface NetworkLane {
  readonly id: string;
  /**
   * The task-file name of a network of `RunSpaceSpec.networks`, or undefined for the engine's built-in bridge: there the ids of the
   * lane's steps must still resolve, to the holder itself.
   */
  readonly network: string | undefined;
  readonly steps: readonly string[];
  /** All `ports` and `expose` of its steps: they belong to the holder. */
  readonly ports: readonly string[];
  readonly expose: readonly string[];
}

export interface RunSpaceSpec {
  /** `[a-z0-9]{4,40}`: part of every name and label. */
  readonly runId: string;
  readonly networks: readonly PlanNetwork[];
  readonly lanes: readonly NetworkLane[];
  readonly volumes: readonly PlanVolume[];
  readonly workspace: WorkspaceSpec;
  /** Mount the engine's socket at /var/run/docker.sock of every cmd step (ACR does; policy decides). */
  readonly dockerSocket: boolean;
  readonly credentials: CredentialSource;
  /** Keep container logs in the engine so that they survive this process (daemon); `task run` alone does not need it. */
  readonly durableLogs: boolean;
  /** Registries other than loopback that may speak plain HTTP. */
  readonly insecureRegistries: readonly string[];
  /**
   * Who its things belong to when that is not this process: `kind/name`, such as `daemon/ab12cd`. `collect` never takes them; only
   * `collectRuns` of the same owner does.
   */
  readonly owner?: string;
  /** The space may exist: what is there (networks, holders, volumes, containers) is used as it is, only what is missing is made. */
  readonly adopt?: boolean;
  /** Containers get the engine's init as process 1, unless a step says otherwise or the engine has none. */
  readonly init?: boolean;
  readonly limits?: ContainerLimits;
  /** Nothing of the run goes to a registry: caches of builds neither. */
  readonly noPush?: boolean;
  /** The run does not touch what other runs use of the engine. */
  readonly isolation?: RunIsolation;
}

/**
 * Keeps a run apart on the engine that it shares. Its builds get names of their own (model/run-image.ts) instead of their tags, which end with
 * the run; nothing is pushed. Images that its steps name are the caller's business.
 */
export interface RunIsolation {
  /** Caches of `RUN --mount=type=cache` are shared only by builds with the same one. */
  readonly cacheNamespace: string;
}

/** The most that a container may have; one that asks for less gets less. */
export interface ContainerLimits {
  readonly pids?: number;
  readonly memoryBytes?: number;
  readonly cpus?: number;
}

/**
 * What is mounted at /workspace.
 * - `volume`: a volume of the run, removed at its end; `seed` (a directory of this machine) is copied into it first,
 *   leaving out what its .dockerignore excludes. It is only copied when something needs the workspace.
 * - `external`: a volume name or an absolute host path that the user manages; never removed.
 */
export type WorkspaceSpec =
  | { readonly kind: 'volume'; readonly name: string; readonly seed: string | undefined }
  | { readonly kind: 'external'; readonly source: string };

/**
 * The place of one run in the engine. Methods may be called concurrently for different steps.
 * Cancel: when `signal` aborts, a running container gets SIGTERM, SIGKILL after `graceMs`, and the promise resolves
 * with `canceled: true` once it is gone (for `build`, `push`, `pull`: once the engine has let go).
 */
export interface RunSpace {
  /**
   * A hint that this step will run with these very inputs: the engine may create its container ahead. Never rejects. Steps that
   * still run may give the image's name to another image meanwhile: `runContainer` must start what the name means then.
   */
  prepare(request: ContainerRequest): void;
  /**
   * Runs one container to its end (or, detached, until it is started). The image is pulled when missing.
   * Output arrives in order through `onOutput`; the engine reads on only when a returned promise has resolved.
   * Attach and wait are open before start, so no byte and no exit is missed.
   */
  runContainer(request: ContainerRequest, io: ContainerIo): Promise<ContainerOutcome>;
  /** Pulls one image with the run's credentials. */
  pull(request: PullRequest, io: TransferIo): Promise<TransferOutcome>;
  /**
   * A hint that this build will be asked for: the engine may begin it, up to where it needs the Dockerfile. Nobody sees anything of it
   * until `build` takes it over; it is dropped when `signal` aborts. Never rejects.
   */
  prepareBuild?(request: BuildAheadRequest, signal: AbortSignal): Promise<void>;
  build(request: BuildRequest, io: BuildIo): Promise<BuildOutcome>;
  /**
   * Pushes one image once (retries are the caller's) and returns the digest the registry has now. With `imageId`, that of the image which
   * this run gave the tag to, no other image is pushed: the tag is given back to it where another run has taken it.
   */
  push(request: { readonly reference: string; readonly imageId?: string }, io: TransferIo): Promise<TransferOutcome>;
  /** Reads one file of the workspace, or undefined when there is none; path absolute in the container's eyes. */
  readWorkspaceFile(path: string): Promise<Uint8Array | undefined>;
  /**
   * Removes everything of the run: containers (also running ones), networks, volumes. Runs once; later calls return the
   * first call's promise. What could not be removed within the deadline is returned, and found again by `collect`.
   */
  destroy(options: { readonly signal: AbortSignal }): Promise<readonly CollectedThing[]>;
  /**
   * With `durableLogs` an ended container stays until its end is recorded, so that a later attempt finds it; this says that it may go.
   * Returns at once.
   */
  release(containerId: string): void;
  /**
   * Lets go of the run without stopping or removing anything: `openRun` with `adopt` goes on, in this process or another. Containers
   * that are being followed end with `detached: true`, after their output so far. Afterwards `destroy` does nothing.
   */
  detach(): Promise<void>;
}

export interface ContainerRequest {
  readonly step: string;
  readonly attempt: number;
  readonly container: ContainerSpec;
  readonly detach: boolean;
  readonly keep: boolean;
  /**
   * Follow the container that this step and attempt has already: its output after so many raw bytes of each stream, and its end,
   * also when it has ended. One that was created and not started is started. The outcome is `gone` when there is none.
   */
  readonly adopt?: { readonly positions: { readonly stdout: number; readonly stderr: number } };
}

export interface ContainerIo {
  readonly signal: AbortSignal;
  readonly graceMs: number;
  onOutput(stream: 'stdout' | 'stderr', chunk: Uint8Array): void | Promise<void>;
  /** The container exists and is about to start (or was adopted); called before its first output. With `durableLogs` the start waits for it. */
  onStarted?(containerId: string): void | Promise<void>;
  onTransfer?(progress: TransferProgress): void;
}

export interface ContainerOutcome {
  /** 0 for a detached container that started. */
  readonly exitCode: number;
  readonly containerId: string;
  readonly canceled: boolean;
  readonly outOfMemory: boolean;
  /**
   * The container could not be started because of what the step asks for (no such command, bad option): the reason.
   * `exitCode` is then docker's 125, 126 or 127.
   */
  readonly startFailure?: string;
  /** All that the engine said of it, when that is more. */
  readonly engineWords?: string;
  /** The engine has lost output that it kept (or never wrote it): what was delivered has a gap somewhere. */
  readonly outputMissing?: true;
  /** There is no container to adopt; nothing was started. */
  readonly gone?: true;
  /** The space was detached: the container goes on without anybody who follows it. */
  readonly detached?: true;
}

export interface TransferProgress {
  readonly image: string;
  readonly direction: 'pull' | 'push';
  readonly layer: string;
  readonly state: string;
  readonly current?: number;
  readonly total?: number;
}

export interface TransferIo {
  readonly signal: AbortSignal;
  onTransfer(progress: TransferProgress): void;
}

export interface PullRequest {
  readonly reference: string;
  readonly platform?: string;
}

export type TransferOutcome =
  /** `retagged`: the tag had been given to another image since the run built its own, which was pushed. */
  | { readonly ok: true; readonly digest: string; readonly retagged?: true }
  /** `retryAfterMs` when the registry named one; `permanent` for a 4xx other than 408 and 429. */
  | {
      readonly ok: false;
      readonly message: string;
      readonly permanent: boolean;
      readonly retryAfterMs?: number;
      readonly canceled: boolean;
    };

export interface BuildRequest {
  readonly step: string;
  readonly attempt: number;
  readonly spec: BuildSpec;
  readonly inputs: PreparedBuild;
  /** Values for `--secret id=…` that name a secret of the run, by secret id. */
  readonly secrets: ReadonlyMap<string, Uint8Array>;
}

export interface BuildAheadRequest {
  readonly step: string;
  readonly spec: BuildSpec;
  readonly opened: OpenedBuild;
}

export interface BuildIo {
  readonly signal: AbortSignal;
  onOutput(stream: 'stdout' | 'stderr', chunk: Uint8Array): void | Promise<void>;
  onProgress(progress: BuildProgress): void;
}

export interface BuildProgress {
  /** Digest or id of the vertex; stable within one build. */
  readonly vertex: string;
  readonly name: string;
  readonly state: 'started' | 'running' | 'done' | 'cached' | 'failed';
  readonly current?: number;
  readonly total?: number;
  readonly durationMs?: number;
  readonly error?: string;
  /** Advice of the builder about this vertex (a lint rule of its Dockerfile frontend). */
  readonly warning?: string;
  /** What a person should know of this vertex and need not act on. */
  readonly note?: string;
}

export type BuildOutcome =
  | { readonly ok: true; readonly imageId: string }
  /** The build itself said no (a failing instruction, a bad Dockerfile). */
  | { readonly ok: false; readonly message: string; readonly canceled: boolean };
