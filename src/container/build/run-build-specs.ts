import type { BuildSpec } from '../../model/plan.ts';
import type { RunIsolation } from '../../model/ports/container-engine.ts';
import { type RunImages, runImageName, runImagePrefix } from '../../model/run-image.ts';
import { planCache } from './cache-options.ts';

/** What of a run holds for all of its builds. */
export interface RunBuildRules {
  readonly noPush: boolean;
  readonly isolation: RunIsolation | undefined;
  readonly images: RunImages;
}

/** A build as the run lets it be. */
export interface RunBuildSpec {
  readonly spec: BuildSpec;
  /** Where its cache would have been pushed to. */
  readonly unpushed: readonly string[];
}

/** Variable of Dockerfile frontends: `RUN --mount=type=cache` of builds with different values share nothing. */
const CACHE_NAMESPACE = 'BUILDKIT_CACHE_MOUNT_NS';

/** The builds of a run that pushes nothing or is kept apart. One spec becomes the same one each time: a build that was begun is known by it. */
export class RunBuildSpecs {
  readonly #rules: RunBuildRules;
  readonly #known = new WeakMap<BuildSpec, RunBuildSpec>();
  #untagged = 0;

  constructor(rules: RunBuildRules) {
    this.#rules = rules;
  }

  of(written: BuildSpec): RunBuildSpec {
    const known = this.#known.get(written);
    if (known !== undefined) return known;
    const { noPush, isolation } = this.#rules;
    const quiet = noPush || isolation !== undefined ? withoutCachePush(written) : { spec: written, unpushed: [] };
    const made = isolation === undefined ? quiet : { ...quiet, spec: this.#apart(quiet.spec, isolation) };
    this.#known.set(written, made);
    return made;
  }

  #apart(spec: BuildSpec, { cacheNamespace }: RunIsolation): BuildSpec {
    const buildArgs = spec.buildArgs.filter((argument) => argument.split('=', 1)[0] !== CACHE_NAMESPACE);
    return {
      ...spec,
      tags: this.#tags(spec),
      buildArgs: [...buildArgs, `${CACHE_NAMESPACE}=${cacheNamespace}`],
      // What comes from a registry is pinned by digest, and no registry knows the rest.
      pull: 'auto',
    };
  }

  /** An image without a name would stay in the engine for ever. */
  #tags({ tags, outputs }: BuildSpec): readonly string[] {
    const { images } = this.#rules;
    if (tags.length > 0) return [...new Set(tags.map((tag) => runImageName(images, tag)))];
    if (outputs.length > 0) return [];
    this.#untagged += 1;
    return [`${runImagePrefix(images)}untagged:${this.#untagged}`];
  }
}

function withoutCachePush(spec: BuildSpec): RunBuildSpec {
  const cache = readCache(spec);
  if (cache === undefined || cache.pushTo.length === 0) return { spec, unpushed: [] };
  const { cacheRef: _, ...rest } = spec;
  const cacheTo = spec.cacheTo.length === 0 ? [] : ['type=inline'];
  return { spec: { ...rest, cacheFrom: cache.from, cacheTo }, unpushed: cache.pushTo };
}

/** Undefined when the options are wrong; the build itself says how. */
function readCache(spec: BuildSpec) {
  try {
    const cache = planCache(spec);
    return 'reason' in cache ? undefined : cache;
  } catch {
    return undefined;
  }
}
