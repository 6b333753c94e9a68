import type { BaseImage, BuiltImage, PushedImage } from '../model/image.ts';

/** What the steps of a run have found and made so far. */
export interface RunFacts {
  /** By step id; a repeated build leaves its last image. */
  readonly built: Map<string, BuiltImage>;
  readonly pushed: PushedImage[];
  /** What the inputs of each build step said, by step id. */
  readonly inputs: Map<string, BuildFacts>;
}

export interface BuildFacts {
  readonly baseImages: readonly BaseImage[];
  readonly gitHead: string;
}

export function createRunFacts(): RunFacts {
  return { built: new Map(), pushed: [], inputs: new Map() };
}
