import type { Readable } from 'node:stream';
import type { BuildAheadRequest, BuildIo, BuildOutcome, BuildRequest } from '../model/ports/container-engine.ts';
import type { CredentialSource } from '../model/ports/credential-source.ts';

/** Builds images on one engine; made by `createImageBuilder` of build/build-image.ts. */
export interface ImageBuilder {
  build(request: BuildRequest, io: BuildIo, context: BuildRunContext): Promise<BuildOutcome>;
  /** Begins a build that `build` will take over, where that is of use; drops it when the signal aborts. Never throws. */
  begin(request: BuildAheadRequest, context: BuildRunContext, signal: AbortSignal): Promise<void>;
}

/** What a build needs of the run it belongs to. */
export interface BuildRunContext {
  readonly runId: string;
  /** For whatever the build makes in the engine besides the image. */
  readonly labels: Readonly<Record<string, string>>;
  readonly credentials: CredentialSource;
  /** Registries other than loopback that may speak plain HTTP. */
  readonly insecureRegistries: readonly string[];
  /** A directory of the run's workspace as a tar whose entries are relative to it. Rejects with `context-failed` when there is none. */
  readWorkspaceTar(path: string): Promise<Readable>;
  /** One file of the run's workspace, or undefined when there is none. */
  readWorkspaceFile(path: string): Promise<Uint8Array | undefined>;
  /**
   * Unpacks a tar, its entries relative to `directory`, into the run's workspace; the directory is made when missing.
   * For what a build writes besides its image: `--output`, `--iidfile`, `--metadata-file`.
   */
  writeWorkspaceTar(directory: string, tar: Readable): Promise<void>;
  /** Socket of the ssh agent that `--ssh default` may use; absent where the run may not use this machine's. */
  readonly sshAgentSocket?: string;
}
