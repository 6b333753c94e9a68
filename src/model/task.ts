import type { SourceRange } from './diagnostic.ts';
import type { RunVariables } from './run-variables.ts';

/** The checked meaning of a task file. Only `task/load-task.ts` makes one. Seconds are as written in the file. */
export interface Task {
  readonly version: 'v1.0.0' | 'v1.1.0' | '1.0-preview-1';
  /** Name of the stored task; `quickrun` for a run by hand. */
  readonly name: string;
  readonly run: RunVariables;
  /** Seconds. */
  readonly stepTimeout: number;
  readonly workingDirectory: string;
  readonly env: readonly string[];
  readonly networks: readonly Network[];
  readonly volumes: readonly Volume[];
  readonly secrets: readonly SecretReference[];
  /** In file order. */
  readonly steps: readonly Step[];
}

export interface Network {
  readonly name: string;
  readonly driver: string;
  readonly ipv6: boolean;
  readonly skipCreation: boolean;
  readonly isDefault: boolean;
}

/** A volume of files; `files` maps a file name to its exact bytes in base64. */
export interface Volume {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** Where the contents stand, by file name. */
  readonly fileRanges: ReadonlyMap<string, SourceRange>;
  readonly range: SourceRange;
}

/** An entry of `secrets:`; `keyvault` selects a provider (`env://`, `file://`, `exec://`, a vault URL). */
export interface SecretReference {
  readonly id: string;
  readonly keyvault: string;
  readonly clientID: string;
  readonly range: SourceRange;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
}

/** Exactly one of cmd, build and push, all defaults applied. Times are milliseconds: durations like `10m` are an extension. */
export type Step = CmdStep | BuildStep | PushStep;

/**
 * Every property but the three that make the kind of a step. The language accepts each on every kind, with or without an
 * effect there; docs/task-reference.md says which has one.
 */
export interface StepCommon {
  readonly id: string;
  /** Ids this step waits for, without duplicates, in file order. */
  readonly needs: readonly string[];
  /** `when` as written; empty when the file has none. */
  readonly when: readonly string[];
  readonly timeoutMs: number;
  readonly startDelayMs: number;
  readonly ignoreErrors: boolean;
  readonly retries: number;
  readonly retryDelayMs: number;
  readonly retryOnErrors: readonly string[];
  readonly repeat: number;
  readonly workingDirectory: string;
  readonly disableWorkingDirectoryOverride: boolean;
  /** Merged `K=V` entries as written (shell quoting not yet removed), the step's own first. */
  readonly env: readonly string[];
  /** Name of the network stamped on or named by the step; empty for the engine's own default. */
  readonly network: string;
  readonly ports: readonly string[];
  readonly expose: readonly string[];
  readonly privileged: boolean;
  readonly user: string;
  readonly isolation: string;
  readonly cpus: string;
  readonly entryPoint: string;
  readonly keep: boolean;
  readonly detach: boolean;
  readonly pull: boolean;
  readonly cmdDownloadRetries: number;
  readonly cmdDownloadRetryDelayMs: number;
  /** As written: `enabled` or `disabled` in any case of letters, or empty. */
  readonly cache: string;
  readonly volumeMounts: readonly VolumeMount[];
  /** Evident meaning only under `--extended`; ACR parses and ignores them. */
  readonly exitedWith: readonly number[];
  readonly exitedWithout: readonly number[];
  /** The step's mapping in the file. */
  readonly range: SourceRange;
}

export interface CmdStep extends StepCommon {
  readonly kind: 'cmd';
  /** The text as written, the first word expanded; or the extension forms: a list (no shell parsing) or a script with its image. */
  readonly cmd: string | readonly string[];
  /** With a script `cmd` is the empty text. */
  readonly script?: { readonly image: string; readonly text: string };
  readonly cmdRange: SourceRange;
}

export interface BuildStep extends StepCommon {
  readonly kind: 'build';
  readonly build: string;
  readonly buildRange: SourceRange;
}

export interface PushStep extends StepCommon {
  readonly kind: 'push';
  /** Normalised (`:latest` appended) and without duplicates, in file order. */
  readonly images: readonly string[];
  readonly pushRange: SourceRange;
}
