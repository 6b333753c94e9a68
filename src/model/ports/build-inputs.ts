import type { BaseImage } from '../image.ts';
import type { BuildSpec } from '../plan.ts';

/**
 * Turns a BuildSpec into something an engine can build: fetches the context, reads the Dockerfile, resolves its base
 * images to digests and pins it to them. Implemented in service/build-inputs.ts over GitSource, Registry and the engine.
 */
export interface BuildInputs {
  /**
   * Safe to call concurrently. Rejects with EngineError (`context-failed`, `context-rejected`, `dockerfile-missing`, `engine-…`).
   * A Dockerfile that cannot be read as one goes to the engine unpinned, with a note; a base image that its registry cannot
   * be asked about is taken from the engine, or left to it (it may know mirrors), with a warning.
   */
  prepare(request: BuildInputsRequest): Promise<PreparedBuild>;
  /**
   * What a cmd step takes for the image that it names, in a run that is kept apart from others; absent in all other runs. `inEngine`: it is
   * there, and no registry is to be asked. Rejects with EngineError, `policy-refused` for an image that such a run may not use; builds do, too.
   */
  stepImage?(request: StepImageRequest): Promise<{ readonly reference: string; readonly inEngine: boolean }>;
}

export interface StepImageRequest extends Pick<BuildInputsRequest, 'signal' | 'onNote'> {
  readonly reference: string;
  /** `os/arch[/variant]` */
  readonly platform: string;
}

export interface BuildInputsRequest {
  readonly step: string;
  readonly spec: BuildSpec;
  /**
   * Where relative paths of the workspace are read: `directory` is the seed on this machine (no step can have changed
   * it yet), `workspace` reads what earlier steps left in the run's volume.
   */
  readonly workspace:
    | { readonly kind: 'directory'; readonly path: string | undefined }
    | { readonly kind: 'workspace'; readFile(path: string): Promise<Uint8Array | undefined> };
  /** `os/arch[/variant]` that the engine builds for when the spec names none. */
  readonly platform: string;
  readonly signal: AbortSignal;
  onNote(level: 'info' | 'warning', message: string): void;
  /** Called at most once, as soon as everything but the text of the Dockerfile is known: its base images take the longest. What is awaited is sent before them; it never rejects. */
  onOpened?(opened: OpenedBuild): Promise<void>;
}

/** What is known of a build before its base images are. */
export interface OpenedBuild {
  readonly context: PreparedBuild['context'];
  readonly dockerfileName: string;
  readonly ignore: readonly string[];
}

export interface PreparedBuild {
  readonly context:
    | { readonly kind: 'directory'; readonly path: string }
    /** Absolute path in the run's workspace volume. */
    | { readonly kind: 'workspace'; readonly path: string }
    | { readonly kind: 'empty' };
  /** `text` is pinned to digests, line for line the author's otherwise. */
  readonly dockerfile: { readonly name: string; readonly text: string };
  /** Lines of the .dockerignore that applies, comments included; empty when there is none. */
  readonly ignore: readonly string[];
  readonly baseImages: readonly BaseImage[];
  /** Commit of a context that is a git checkout; empty otherwise. */
  readonly gitHead: string;
  /** Removes what was fetched. Idempotent, never rejects. */
  dispose(): Promise<void>;
}
