import type { AgentChannel, AgentDescription, ResolvedSecrets } from '../model/ports/agent-channel.ts';
import type { BuildInputs } from '../model/ports/build-inputs.ts';
import type { Clock } from '../model/ports/clock.ts';
import type { ContainerEngine, ContainerLimits } from '../model/ports/container-engine.ts';
import type { ContextFetcher } from '../model/ports/context-fetcher.ts';
import type { CredentialSource } from '../model/ports/credential-source.ts';
import type { GitSource } from '../model/ports/git-source.ts';
import type { Registry } from '../model/ports/registry.ts';
import type { RunRequest, TrustClass } from '../model/run-record.ts';
import type { AddressPolicy } from '../util/address-policy.ts';

/** What an agent needs of the world. */
export interface AgentDependencies {
  readonly channel: AgentChannel;
  readonly engine: ContainerEngine;
  readonly git: GitSource;
  readonly contexts: ContextFetcher;
  readonly makeRunParts: MakeRunParts;
  readonly clock: Clock;
  /** Holds the contexts of the runs of the moment, a folder each, and nothing else: what is unknown in it is removed. Made (0700) when missing. */
  readonly workDirectory: string;
  readonly describe: AgentDescription;
  /** Where the URLs of `alias.src` may lead. */
  readonly addresses: AddressPolicy;
  /** Contexts may be git repositories of the agent's own machine (`file://`); false unless given. */
  readonly allowFileGit?: boolean;
  /** Registries other than loopback that may speak plain HTTP. */
  readonly insecureRegistries: readonly string[];
  /** The most that the container of a step may have. */
  readonly limits?: ContainerLimits;
  /** Most steps of one run at once; no limit unless given. */
  readonly parallel?: number;
  /** A cmd step whose container was lost because the engine stopped is tried once more; false unless given. */
  readonly retryOnEngineLoss?: boolean;
  log(level: 'info' | 'warning' | 'error', message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Makes the parts of one run that depend on its credentials. */
export type MakeRunParts = (options: {
  /** Logins of the run. An untrusted run has none, and must not get any of the machine either. */
  readonly logins: ResolvedSecrets['credentials'];
  readonly trust: TrustClass;
  /** What builds take in place of base images that are written. */
  readonly baseImages: NonNullable<RunRequest['baseImages']>;
  /** Tags that builds of this run made so far: they are in the engine, not in a registry. */
  builtTags(): ReadonlySet<string>;
  /** The name that an untrusted run gives to an image instead of a tag. */
  runImage(tag: string): string;
  onWarning(message: string): void;
}) => Promise<RunParts> | RunParts;

export interface RunParts {
  readonly credentials: CredentialSource;
  readonly registry: Registry;
  readonly inputs: BuildInputs;
  /** Pulls an artifact into an empty directory: archives are unpacked, other layers become files. Rejects with EngineError. */
  unpackArtifact(reference: string, directory: string, options: { readonly signal: AbortSignal }): Promise<void>;
}

/** Runs what a daemon gives to it. */
export interface Agent {
  /** Registers, takes back the runs that it held, and begins to claim; resolves then. Aborting `signal` is a `stop`. */
  start(signal: AbortSignal): Promise<void>;
  /**
   * Claims nothing more and resolves when no run is left: those that do not end within `graceMs` are let go of (their containers run
   * on, the next start takes them back), those that have not begun are given back.
   */
  drain(options: { readonly graceMs: number }): Promise<void>;
  /** The same without grace; also ends the grace of a drain that is under way. */
  stop(): Promise<void>;
}
