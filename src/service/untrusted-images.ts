import { canonicalImage } from '../model/canonical-image.ts';
import { EngineError } from '../model/engine-error.ts';
import { withDefaultTag } from '../model/image-reference.ts';
import type { StepImageRequest } from '../model/ports/build-inputs.ts';
import type { EngineImage } from '../model/ports/container-engine.ts';
import type { ImageOrigin } from '../task/dockerfile/scan-dockerfile.ts';
import { compileGlobs } from '../util/globs.ts';
import { type BaseImageParts, type BaseResolver, fromRegistry, type RegistryAnswer, type ResolvedBase, recordOf } from './base-images.ts';

/** What an untrusted run goes by. */
export interface UntrustedRules {
  /** The name that the run gives to an image instead of a tag. */
  runImage(tag: string): string;
  /** Globs of images of the machine that every run may use, which an admin allows. */
  readonly localImages: readonly string[];
}

type Admitted =
  | { readonly kind: 'own' | 'local'; readonly reference: string; readonly image: EngineImage | undefined }
  | { readonly kind: 'registry'; readonly answer: RegistryAnswer };

/**
 * The images of an untrusted run. What lies in the engine may be of anybody: private images that trusted runs pulled, too. So the run gets what it
 * built itself, what a registry gives to it, pinned to the digest, and what an admin allows of the machine; and nothing else.
 */
export class UntrustedImages implements BaseResolver {
  readonly #parts: BaseImageParts;
  readonly #rules: UntrustedRules;
  readonly #answers = new Map<string, Promise<RegistryAnswer>>();

  constructor(parts: BaseImageParts, rules: UntrustedRules) {
    this.#parts = parts;
    this.#rules = rules;
  }

  /** Rejects with EngineError: `policy-refused` for an image that the run may not use. */
  async resolve(origin: ImageOrigin, { signal }: { readonly signal: AbortSignal }): Promise<ResolvedBase> {
    const { reference, platform } = origin;
    if (reference === 'scratch') return { image: recordOf(origin, 'scratch') };
    if (origin.unresolved) throw refusal(reference, 'a variable in its name has no value here');
    const admitted = await this.#admit(reference, platform, signal);
    if (admitted.kind === 'registry') return fromRegistry(origin, admitted.answer);
    const { image } = admitted;
    return {
      image: { ...recordOf(origin, 'engine'), ...(image === undefined ? {} : { imageId: image.id }) },
      pinned: admitted.reference,
    };
  }

  /** As `BuildInputs.stepImage`. */
  async stepImage({ reference, platform, signal }: StepImageRequest): Promise<{ readonly reference: string; readonly inEngine: boolean }> {
    const admitted = await this.#admit(reference, platform, signal);
    if (admitted.kind !== 'registry') return { reference: admitted.reference, inEngine: true };
    const origin: ImageOrigin = { reference, platform, role: 'runtime', unresolved: false, words: [] };
    return { reference: fromRegistry(origin, admitted.answer).pinned ?? reference, inEngine: false };
  }

  async #admit(reference: string, platform: string, signal: AbortSignal): Promise<Admitted> {
    const wanted = canonicalImage(reference);
    if ([...this.#parts.builtTags()].some((tag) => canonicalImage(tag) === wanted)) {
      const own = this.#rules.runImage(reference);
      return { kind: 'own', reference: own, image: await this.#parts.findImage(own) };
    }
    const allowed = compileGlobs(this.#rules.localImages);
    if (allowed.matches(withDefaultTag(reference)) || allowed.matches(wanted)) {
      const image = await this.#parts.findImage(reference);
      if (image !== undefined) return { kind: 'local', reference, image };
    }
    return { kind: 'registry', answer: await this.#ask(reference, platform, signal) };
  }

  async #ask(reference: string, platform: string, signal: AbortSignal): Promise<RegistryAnswer> {
    const key = `${reference} ${platform}`;
    const asked = this.#answers.get(key) ?? this.#askRegistry(reference, platform, signal);
    this.#answers.set(key, asked);
    try {
      return await asked;
    } catch (error) {
      // Whoever asks next may have more luck, and a signal that is not this one.
      this.#answers.delete(key);
      throw error;
    }
  }

  async #askRegistry(reference: string, platform: string, signal: AbortSignal): Promise<RegistryAnswer> {
    let found: Awaited<ReturnType<BaseImageParts['registry']['resolve']>>;
    try {
      found = await this.#parts.registry.resolve(reference, { platform, signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof EngineError)) throw error;
      throw refusal(reference, error.message, error.code === 'registry-denied' ? undefined : error);
    }
    if (found === undefined) throw refusal(reference, 'its registry does not have it, or does not show it without a login');
    return found;
  }
}

/** `outage`: nobody said no, so the run may have more luck another time. */
function refusal(reference: string, why: string, outage?: EngineError): EngineError {
  const message = `an untrusted run cannot use the image ${reference}: ${why}. It gets what its own builds made and what registries give without a login; an admin can allow images of this machine by the setting \`untrustedLocalImages\``;
  return new EngineError(outage?.code ?? 'policy-refused', message, { transient: outage?.transient ?? false });
}
