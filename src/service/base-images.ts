import { EngineError } from '../model/engine-error.ts';
import type { BaseImage } from '../model/image.ts';
import {
  DOCKER_HUB,
  formatImageReference,
  type ImageReference,
  parseImageReference,
  splitImageReference,
} from '../model/image-reference.ts';
import type { BuildSpec } from '../model/plan.ts';
import type { EngineImage } from '../model/ports/container-engine.ts';
import type { Registry, ResolvedReference } from '../model/ports/registry.ts';
import type { ChosenBase } from '../model/run-record.ts';
import type { ImageOrigin } from '../task/dockerfile/scan-dockerfile.ts';

export interface BaseImageParts {
  readonly registry: Pick<Registry, 'resolve'>;
  /** An image of the engine's own store; never pulls. */
  findImage(reference: string): Promise<EngineImage | undefined>;
  /** Tags that earlier steps of this run gave to images they built: those images win over any registry. */
  builtTags(): ReadonlySet<string>;
}

interface ResolveOptions {
  readonly pull: BuildSpec['pull'];
  readonly signal: AbortSignal;
  onNote(level: 'info' | 'warning', message: string): void;
}

/** A base image, and the name that a Dockerfile can be pinned to. */
export interface ResolvedBase {
  readonly image: BaseImage;
  readonly pinned?: string;
}

export type BaseResolver = Pick<BaseImageResolver, 'resolve'>;

/** What a registry said, kept for the run: builds that share a base image ask once. */
type Answer =
  | { readonly kind: 'found'; readonly digest: string; readonly platformDigest: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'cancelled' };

/** Resolves the base images of one run's builds. */
export class BaseImageResolver {
  readonly #parts: BaseImageParts;
  readonly #answers = new Map<string, Promise<Answer>>();

  constructor(parts: BaseImageParts) {
    this.#parts = parts;
  }

  /**
   * Where an image comes from, first match first:
   * 1. an earlier step of the run built it: the engine has it;
   * 2. `--pull never` (then one that the engine lacks is an error, so that nobody asks a registry after all), or a Docker
   *    Hub name of an image that the engine has and no registry gave it: the engine's;
   * 3. what its registry names now, even when the engine has an older one under that name;
   * 4. the engine's, when the registry lacks it or cannot be asked (the latter with a warning).
   * What cannot be resolved is left to the engine, with a warning: it may know mirrors that this program does not.
   * Rejects when the signal aborts, the engine itself fails, or `--pull never` names what the engine lacks.
   */
  async resolve(origin: ImageOrigin, options: ResolveOptions): Promise<ResolvedBase> {
    const parsed = parseImageReference(origin.reference);
    if (origin.reference === 'scratch') return { image: recordOf(origin, 'scratch') };
    if (origin.unresolved || !parsed.ok) return { image: recordOf(origin, 'unresolved') };
    const local = this.#isBuilt(parsed.value) || options.pull === 'never';
    const inEngine = this.#parts.findImage(origin.reference);
    inEngine.catch(() => undefined);
    if (local || (await this.#isOnlyInEngine(parsed.value, options, inEngine)))
      return this.#fromEngine(origin, await inEngine, options, '');
    const answer = await this.#ask(origin, options.signal);
    options.signal.throwIfAborted();
    if (answer.kind === 'found') {
      if (answer.platformDigest === '') options.onNote('warning', `The base image ${origin.reference} has nothing for ${origin.platform}.`);
      return fromRegistry(origin, answer);
    }
    return this.#fromEngine(origin, await inEngine, options, answer.kind === 'failed' ? answer.why : '');
  }

  #isBuilt(reference: ImageReference): boolean {
    const wanted = nameOf(reference);
    return [...this.#parts.builtTags()].some((tag) => {
      const built = parseImageReference(tag);
      return built.ok && nameOf(built.value) === wanted;
    });
  }

  /** Images without a registry in their name are mostly made on the spot; asking Docker Hub for them would only cost time. */
  async #isOnlyInEngine(reference: ImageReference, { pull }: ResolveOptions, inEngine: Promise<EngineImage | undefined>): Promise<boolean> {
    if (reference.host !== DOCKER_HUB || reference.digest !== '' || pull === 'always') return false;
    const image = await inEngine;
    return image !== undefined && digestIn(image, reference) === '';
  }

  async #ask(origin: ImageOrigin, signal: AbortSignal): Promise<Answer> {
    const key = `${origin.reference} ${origin.platform}`;
    for (;;) {
      const asked = this.#answers.get(key) ?? this.#askRegistry(key, origin, signal);
      this.#answers.set(key, asked);
      const answer = await asked;
      // The step that asked first was cancelled; this one may still want to know.
      if (answer.kind !== 'cancelled' || signal.aborted) return answer;
    }
  }

  async #askRegistry(key: string, origin: ImageOrigin, signal: AbortSignal): Promise<Answer> {
    try {
      const found = await this.#parts.registry.resolve(origin.reference, { platform: origin.platform, signal });
      return found === undefined ? { kind: 'missing' } : { kind: 'found', digest: found.digest, platformDigest: found.platformDigest };
    } catch (error) {
      if (!signal.aborted) return { kind: 'failed', why: error instanceof Error ? error.message : String(error) };
      this.#answers.delete(key);
      return { kind: 'cancelled' };
    }
  }

  async #fromEngine(origin: ImageOrigin, image: EngineImage | undefined, options: ResolveOptions, why: string): Promise<ResolvedBase> {
    const asked = why === '' ? '' : ` (${why})`;
    if (image === undefined) {
      if (options.pull === 'never') throw notInEngine(origin.reference);
      options.onNote('warning', `The base image ${origin.reference} could not be resolved${asked}; the engine is left to find it.`);
      return { image: recordOf(origin, 'unresolved') };
    }
    if (why !== '')
      options.onNote(
        'warning',
        `The registry of the base image ${origin.reference} could not be asked${asked}; the engine's copy is used.`,
      );
    const parsed = parseImageReference(origin.reference);
    const indexDigest = parsed.ok ? digestIn(image, parsed.value) : '';
    return { image: { ...recordOf(origin, 'engine'), indexDigest, imageId: image.id } };
  }
}

/**
 * Takes other images than those that are written: `use` in place of `reference`. They are told by what is written, with the digests of what is
 * used. An image that the Dockerfile names in a way that cannot be pinned is taken as it is written, with a warning.
 */
export function substituteBases(bases: BaseResolver, substitutes: readonly ChosenBase[]): BaseResolver {
  if (substitutes.length === 0) return bases;
  const uses = new Map(substitutes.map((chosen) => [canonicalName(chosen.reference), chosen]));
  return {
    resolve: async (origin, options) => {
      const chosen = origin.unresolved ? undefined : uses.get(canonicalName(origin.reference));
      if (chosen === undefined) return bases.resolve(origin, options);
      const { use, unchecked } = chosen;
      if (unchecked !== undefined)
        options.onNote(
          'warning',
          `Whether there is a newer tag than ${use} could not be found out (${unchecked}); it is the newest that is known.`,
        );
      if (use === chosen.reference) return bases.resolve(origin, options);
      if (origin.words.length === 0) {
        options.onNote(
          'warning',
          `The base image ${origin.reference} is not taken as ${use}: the Dockerfile names it by a variable that builders set.`,
        );
        return bases.resolve(origin, options);
      }
      options.onNote('info', `The base image ${origin.reference} is taken as ${use}, the newest that the task follows.`);
      const { image, pinned = use } = await bases.resolve({ ...origin, reference: use }, options);
      return { image: { ...image, reference: origin.reference, used: use }, pinned };
    },
  };
}

function canonicalName(reference: string): string {
  const parsed = parseImageReference(reference);
  return parsed.ok ? nameOf(parsed.value) : reference;
}

function notInEngine(reference: string): EngineError {
  return new EngineError('image-not-found', `the engine has no image ${reference}, and \`--pull never\` lets nobody fetch it`, {
    help: 'Build or pull the image first, or leave out `--pull never`.',
  });
}

/** What a registry says of a reference. */
export type RegistryAnswer = Pick<ResolvedReference, 'digest' | 'platformDigest'>;

export function fromRegistry(origin: ImageOrigin, answer: RegistryAnswer): ResolvedBase {
  const image: BaseImage = { ...recordOf(origin, 'registry'), indexDigest: answer.digest, platformDigest: answer.platformDigest };
  const written = splitImageReference(origin.reference);
  if (!written.ok || written.value.digest !== '') return { image };
  const { domain, path } = written.value;
  return { image, pinned: `${domain === '' ? path : `${domain}/${path}`}@${answer.digest}` };
}

export function recordOf(origin: ImageOrigin, source: BaseImage['source']): BaseImage {
  const { reference, platform, role } = origin;
  return { reference, platform, role, source, indexDigest: '', platformDigest: '' };
}

/** The full name with the tag that is meant when none is written. */
function nameOf(reference: ImageReference): string {
  return formatImageReference(reference.tag === '' && reference.digest === '' ? { ...reference, tag: 'latest' } : reference);
}

/** The digest under which the engine knows an image in the repository of a reference; empty when it has none. */
function digestIn(image: EngineImage, reference: ImageReference): string {
  for (const repoDigest of image.repoDigests) {
    const known = parseImageReference(repoDigest);
    if (known.ok && known.value.host === reference.host && known.value.repository === reference.repository) return known.value.digest;
  }
  return '';
}
