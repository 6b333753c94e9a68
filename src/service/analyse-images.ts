import { EngineError } from '../model/engine-error.ts';
import { parseImageReference } from '../model/image-reference.ts';
import type { Plan, PlanBuildStep } from '../model/plan.ts';
import type { AnalysedTask } from '../model/ports/task-analyser.ts';
import type { ImageTag } from '../model/trigger-event.ts';
import { type ContextParts, openBuildContext } from './build-context.ts';
import { readDockerfile } from './build-inputs.ts';
import { scanForPlatforms } from './scan-platforms.ts';

type Dependency = AnalysedTask['dependencies'][number];

interface BuildPlace {
  /** The context of the task; undefined for none. */
  readonly directory: string | undefined;
  /** `os/arch[/variant]` for builds that name none. */
  readonly platform: string;
  readonly builds: ContextParts;
  readonly signal: AbortSignal;
}

/** The base images of every build step but those that earlier steps build; and what could not be read, a sentence for each step. */
export async function baseImagesOfPlan(
  plan: Plan,
  place: BuildPlace,
): Promise<{ readonly dependencies: readonly Dependency[]; readonly problems: readonly string[]; readonly transient: boolean }> {
  const dependencies: Dependency[] = [];
  const problems: string[] = [];
  let transient = false;
  const built = new Set<string>();
  for (const step of plan.steps) {
    if (step.kind !== 'build') continue;
    try {
      dependencies.push(...(await baseImagesOfStep(step, built, place)));
    } catch (error) {
      if (!(error instanceof EngineError) || place.signal.aborted) throw error;
      problems.push(`step ${step.id}: ${error.message}`);
      transient ||= error.transient || error.code === 'context-failed';
    }
    for (const tag of step.build.tags) built.add(nameOf(tag) ?? tag);
  }
  return { dependencies, problems, transient };
}

async function baseImagesOfStep(step: PlanBuildStep, built: ReadonlySet<string>, place: BuildPlace): Promise<readonly Dependency[]> {
  const { directory, platform, builds, signal } = place;
  const request = { spec: step.build, workspace: { kind: 'directory', path: directory }, signal, onNote: () => undefined } as const;
  const context = await openBuildContext(request, builds);
  try {
    const dockerfile = await readDockerfile(step.build, context, builds);
    const scanned = scanForPlatforms(dockerfile, step.build, platform);
    if (!scanned.ok) throw new EngineError('context-rejected', `${dockerfile.name}: ${scanned.error[0]?.message ?? 'it cannot be read'}`);
    return scanned.value.value
      .flatMap((scan) => [scan.runtime, ...scan.buildtime])
      .flatMap((origin): readonly Dependency[] => {
        if (origin.unresolved || origin.reference === 'scratch' || built.has(nameOf(origin.reference) ?? '')) return [];
        const parsed = parseImageReference(origin.reference);
        if (!parsed.ok) return [];
        const { host, repository, tag, digest } = parsed.value;
        const image = { registry: host, repository, tag: tag === '' && digest === '' ? 'latest' : tag };
        return [{ step: step.id, platform: origin.platform, image, written: origin.reference, role: origin.role }];
      });
  } finally {
    await context.dispose();
  }
}

/** What the steps of a task push, by two plans of it: a tag that differs between them is another for each run. */
export function outputsOfPlans([one, other]: readonly [Plan, Plan]): readonly ImageTag[] {
  const again = new Map(other.steps.map((step) => [step.id, pushedBy(step)]));
  const outputs = new Map<string, ImageTag>();
  for (const step of one.steps) {
    for (const [at, reference] of pushedBy(step).entries()) {
      const image = imageOf(reference);
      const second = imageOf(again.get(step.id)?.[at] ?? '');
      if (image === undefined || second?.registry !== image.registry || second.repository !== image.repository) continue;
      const output = second.tag === image.tag ? image : { ...image, tag: '' };
      outputs.set(JSON.stringify(output), output);
    }
  }
  return [...outputs.values()];
}

function pushedBy(step: Plan['steps'][number]): readonly string[] {
  if (step.kind === 'push') return step.images;
  if (step.kind !== 'build') return [];
  return step.build.outputs.some((output) => /(?:^|,)(?:type=registry|push=true)(?:,|$)/.test(output)) ? step.build.tags : [];
}

function imageOf(reference: string): ImageTag | undefined {
  const parsed = parseImageReference(reference);
  if (!parsed.ok || parsed.value.digest !== '') return undefined;
  const { host, repository, tag } = parsed.value;
  return { registry: host, repository, tag: tag === '' ? 'latest' : tag };
}

function nameOf(reference: string): string | undefined {
  const image = imageOf(reference);
  return image === undefined ? undefined : `${image.registry}/${image.repository}:${image.tag}`;
}
