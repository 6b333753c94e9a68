import type { BaseImage, ImageDependencies, ImageDescription } from '../model/image.ts';
import { describeImage } from '../model/image-description.ts';
import { parseImageReference } from '../model/image-reference.ts';
import type { PlanBuildStep, PlanStep } from '../model/plan.ts';
import type { BuildFacts, RunFacts } from './run-facts.ts';
import { canonicalImage } from './same-image.ts';

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
): Promise<ImageDependencies[]> {
  const runtime = inputs.baseImages.filter((image) => image.role === 'runtime').flatMap(describeBase)[0];
  // Without a Dockerfile that could be read there is nothing to tell.
  if (runtime === undefined) return [];
  const others = inputs.baseImages.filter((image) => image.role === 'buildtime').flatMap(describeBase);
  const rest = {
    'runtime-dependency': runtime,
    'buildtime-dependency': others.length === 0 ? null : others,
    git: { 'git-head-revision': inputs.gitHead },
  };
  if (step.build.tags.length === 0) return [{ image: null, ...rest }];
  return Promise.all(
    step.build.tags.map(async (tag) => {
      const described = describeImage(tag, await digest(tag));
      return { image: described.ok ? described.value : null, ...rest };
    }),
  );
}

function describeBase({ reference, indexDigest }: BaseImage): readonly ImageDescription[] {
  const described = describeImage(reference, indexDigest);
  return described.ok ? [described.value] : [];
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
