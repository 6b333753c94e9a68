import { canonicalImage } from '../model/canonical-image.ts';
import type { BaseImage, BuiltImage, PushedImage } from '../model/image.ts';

/** What the steps of a run have found and made so far. */
export interface RunFacts {
  /** By step id; a repeated build leaves its last image. */
  readonly built: Map<string, BuiltImage>;
  /** Ids of the images that builds of the run gave their tags to last, by canonical tag. */
  readonly tagged: Map<string, string>;
  readonly pushed: PushedImage[];
  /** What the inputs of each build step said, by step id. */
  readonly inputs: Map<string, BuildFacts>;
}

export interface BuildFacts {
  readonly baseImages: readonly BaseImage[];
  readonly gitHead: string;
}

/** Remembers what a build made. */
export function noteBuilt(facts: RunFacts, image: BuiltImage): void {
  facts.built.set(image.step, image);
  // A build that wrote files has tagged nothing.
  if (image.id !== '') for (const tag of image.tags) facts.tagged.set(canonicalImage(tag), image.id);
}

export function createRunFacts(): RunFacts {
  return { built: new Map(), tagged: new Map(), pushed: [], inputs: new Map() };
}
