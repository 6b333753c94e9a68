import type { BuildInputs } from '../model/ports/build-inputs.ts';
import type { Clock } from '../model/ports/clock.ts';
import type { ContainerEngine, ContainerLimits, RunIsolation, WorkspaceSpec } from '../model/ports/container-engine.ts';
import type { CredentialSource } from '../model/ports/credential-source.ts';
import type { Registry } from '../model/ports/registry.ts';
import type { RunFact } from '../model/run-event.ts';
import type { RunResume } from '../model/run-resume.ts';
import type { StepState } from '../model/step-state.ts';
import type { Masker } from '../util/masker.ts';
import type { EventSink } from './event-log.ts';
import type { PushPatience } from './push-patience.ts';

/** What a run needs of the world. */
export interface RunDependencies {
  readonly engine: ContainerEngine;
  readonly inputs: BuildInputs;
  readonly registry: Registry;
  readonly clock: Clock;
  /** Hides the run's secrets in output and in every text of an event. */
  readonly masker: Masker;
  /**
   * Takes the events in order; a returned promise holds back the output of steps. A rejection ends the run with status Error.
   * With `durableLogs` an event must be durable when its promise resolves: a container starts after that of its `container-created`,
   * and is removed after that of the `step-finished` or of the next attempt's `step-started`.
   */
  readonly emit: EventSink;
  /** Takes the output of steps instead of `step-output` events. */
  readonly output?: OutputTap;
  /** For the jitter of push retries, in [0, 1); Math.random unless given. */
  readonly random?: () => number;
}

/** Masked output exactly as it came: neither cut into lines nor made valid UTF-8. */
export interface OutputChunk {
  readonly step: string;
  readonly attempt: number;
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
  /**
   * Raw bytes of this stream of this attempt that this chunk and those before it account for: what the masker still holds back is not
   * counted. Going on from here in the container's log loses and doubles nothing.
   */
  readonly position: number;
}

/** A returned promise holds the step back. A rejection ends the run with status Error. */
export type OutputTap = (chunk: OutputChunk) => void | Promise<void>;

/** How one run is executed. */
export interface RunOptions {
  /** `[a-z0-9]{4,40}` */
  readonly runId: string;
  /** What everything of the run is named after in the engine, `[a-z0-9]{4,40}`; the run's id unless given. */
  readonly spaceId?: string | undefined;
  /** Who owns it in the engine, when that outlives this process (`daemon/ab12cd`); no other process's clean-up takes it. */
  readonly owner?: string | undefined;
  /** Goes on where an earlier attempt was cut off. `resume.plan` is the plan to execute. */
  readonly resume?: RunResume | undefined;
  /** Aborting it lets go of the run: nothing new starts, containers run on, and a later attempt resumes it. Needs `durableLogs`. */
  readonly suspend?: AbortSignal | undefined;
  /** A cmd step whose container the engine took along when it stopped is tried once more. */
  readonly retryOnEngineLoss?: boolean | undefined;
  /** How long a push waits for a registry that is away; ACR's three attempts unless given. Never longer than the step's timeout. */
  readonly pushPatience?: PushPatience | undefined;
  /** The engine's init as process 1 of the containers of cmd steps, so that zombies are reaped; as `durableLogs` unless given. */
  readonly init?: boolean | undefined;
  /** The most that the container of a step may have. */
  readonly limits?: ContainerLimits | undefined;
  /** Aborting it cancels the run. */
  readonly signal: AbortSignal;
  /** Aborting it ends the clean-up early: what is left over is collected later. */
  readonly cleanupSignal?: AbortSignal | undefined;
  /** From the moment the run ends: for stopping what runs and removing everything. */
  readonly cleanupDeadlineMs: number;
  /** For the run as a whole, `resume.elapsedMs` included; no limit unless given. */
  readonly runTimeoutMs?: number | undefined;
  /** Most steps at once; no limit unless given. */
  readonly parallel?: number | undefined;
  /** Most builds at once; the engine's cores unless given. */
  readonly buildParallel?: number | undefined;
  /** After a failure, steps that do not depend on it go on. */
  readonly keepGoing: boolean;
  /** `exitedWith` and `exitedWithout` have their meaning (run/edge-condition.ts); otherwise they are ignored, as ACR does. */
  readonly extended: boolean;
  /** Push steps push nothing and succeed; builds push no cache. */
  readonly noPush: boolean;
  /** Keeps the run apart from others on the engine. Images that its steps name come from `BuildInputs.stepImage` then. */
  readonly isolation?: RunIsolation | undefined;
  /** `os/arch[/variant]` for builds that name none. */
  readonly platform?: string | undefined;
  readonly workspace: WorkspaceSpec;
  readonly dockerSocket: boolean;
  readonly credentials: CredentialSource;
  readonly durableLogs: boolean;
  readonly insecureRegistries: readonly string[];
  /** Values for `--secret id=…` of builds that name a secret of the run, by id. */
  readonly secrets: ReadonlyMap<string, Uint8Array>;
}

type RunFinished = Extract<RunFact, { readonly type: 'run-finished' }>;

/** The facts of the `run-finished` event and how each step ended. */
export interface RunResult extends Omit<RunFinished, 'type'> {
  readonly steps: ReadonlyMap<string, StepState>;
  /** The run was let go of (`RunOptions.suspend`) and has not ended: the rest is what was known then, and `status` says nothing. */
  readonly suspended: boolean;
}
