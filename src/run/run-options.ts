import type { BuildInputs } from '../model/ports/build-inputs.ts';
import type { Clock } from '../model/ports/clock.ts';
import type { ContainerEngine, WorkspaceSpec } from '../model/ports/container-engine.ts';
import type { CredentialSource } from '../model/ports/credential-source.ts';
import type { Registry } from '../model/ports/registry.ts';
import type { RunFact } from '../model/run-event.ts';
import type { StepState } from '../model/step-state.ts';
import type { Masker } from '../util/masker.ts';
import type { EventSink } from './event-log.ts';

/** What a run needs of the world. */
export interface RunDependencies {
  readonly engine: ContainerEngine;
  readonly inputs: BuildInputs;
  readonly registry: Registry;
  readonly clock: Clock;
  /** Hides the run's secrets in output and in every text of an event. */
  readonly masker: Masker;
  /** Takes the events in order; a returned promise holds back the output of steps. A rejection ends the run with status Error. */
  readonly emit: EventSink;
  /** For the jitter of push retries, in [0, 1); Math.random unless given. */
  readonly random?: () => number;
}

/** How one run is executed. */
export interface RunOptions {
  /** `[a-z0-9]{4,40}` */
  readonly runId: string;
  /** Aborting it cancels the run. */
  readonly signal: AbortSignal;
  /** Aborting it ends the clean-up early: what is left over is collected later. */
  readonly cleanupSignal?: AbortSignal | undefined;
  /** From the moment the run ends: for stopping what runs and removing everything. */
  readonly cleanupDeadlineMs: number;
  /** For the run as a whole; no limit unless given. */
  readonly runTimeoutMs?: number | undefined;
  /** Most steps at once; no limit unless given. */
  readonly parallel?: number | undefined;
  /** Most builds at once; the engine's cores unless given. */
  readonly buildParallel?: number | undefined;
  /** After a failure, steps that do not depend on it go on. */
  readonly keepGoing: boolean;
  /** `exitedWith` and `exitedWithout` have their meaning (run/edge-condition.ts); otherwise they are ignored, as ACR does. */
  readonly extended: boolean;
  /** Push steps push nothing and succeed. */
  readonly noPush: boolean;
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
}
