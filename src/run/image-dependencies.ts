import { canonicalImage } from '../model/canonical-image.ts';
import type { ImageDependencies } from '../model/image.ts';
import { describeDependencies } from '../model/image-dependencies.ts';
import { parseImageReference } from '../model/image-reference.ts';
import type { PlanBuildStep, PlanStep } from '../model/plan.ts';
import type { BuildFacts, RunFacts } from './run-facts.ts';

/** Digests in a registry that the engine remembers for an image of its own, as `repository@sha256:…`. */
export type RepoDigests = (reference: string) => Promise<readonly string[]>;

/**
 * ACR's dependency document: one entry per tag of each image that was built, in file order; one with `image: null` when it has no
 * tag. Digests come from the run's pushes, else from what the engine knows; unknown ones are empty.
 */
export async function imageDependencies(
  steps: readonly PlanStep[],
  facts: RunFacts,
  repoDigests: RepoDigests,
): Promise<ImageDependencies[]> {
  const pushed = new Map(facts.pushed.map((image) => [canonicalImage(image.reference), image.digest]));
  const documents = steps.map(async (step) => {
    const inputs = facts.inputs.get(step.id);
    if (step.kind !== 'build' || inputs === undefined || !facts.built.has(step.id)) return [];
    return documentsOf(step, inputs, async (tag) => pushed.get(canonicalImage(tag)) || digestOf(tag, await repoDigests(tag)));
  });
  return (await Promise.all(documents)).flat();
}

async function documentsOf(
  step: PlanBuildStep,
  inputs: BuildFacts,
  digest: (tag: string) => Promise<string>,
): Promise<readonly ImageDependencies[]> {
  const { tags } = step.build;
  const digests = new Map(await Promise.all(tags.map(async (tag) => [tag, await digest(tag)] as const)));
  const described = describeDependencies({ tags, digests, baseImages: inputs.baseImages, gitHead: inputs.gitHead });
  // The engine has taken the tags: all of them are references.
  return described.ok ? described.value : [];
}

function digestOf(tag: string, repoDigests: readonly string[]): string {
  const wanted = parseImageReference(tag);
  for (const text of wanted.ok ? repoDigests : []) {
    const known = parseImageReference(text);
    if (known.ok && wanted.ok && known.value.host === wanted.value.host && known.value.repository === wanted.value.repository) {
      return known.value.digest;
    }
  }
  return '';
}
