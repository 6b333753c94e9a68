import { createHash } from 'node:crypto';
import type { ImageTargetState } from '../../model/ports/image-watch-store.ts';
import type { Registry } from '../../model/ports/registry.ts';
import { imageText } from './image-tag.ts';
import { newestTag } from './newest-tag.ts';

/** What a target is now. `digests` has an entry for each of its platforms, empty for one that the index lacks. */
export type Look =
  | { readonly kind: 'found'; readonly indexDigest: string; readonly digests: Readonly<Record<string, string>>; readonly newestTag: string }
  | { readonly kind: 'missing'; readonly because: string };

type Looker = Pick<Registry, 'look' | 'listTags'>;

/** Looks at targets: one HEAD for a tag; for a pattern the list of tags before it. */
export class ImageLooker {
  /** Newest tag by pattern's target, as long as the list of tags stays the same: comparing thousands of tags costs more than hashing them. */
  readonly #lists = new Map<string, { readonly checksum: string; readonly newest: string | undefined }>();

  /** Rejects as `Registry.look`. */
  async look(target: ImageTargetState, registry: Looker, signal: AbortSignal): Promise<Look> {
    if (target.pattern === '') return lookAtTag(target, target.image.tag, registry, signal);
    const repository = imageText({ ...target.image, tag: '' });
    const tags = await registry.listTags(repository, { signal });
    if (tags === undefined) return { kind: 'missing', because: `${repository} does not exist, or needs credentials` };
    const newest = this.#newest(target, tags);
    if (newest.because !== undefined) return { kind: 'missing', because: newest.because };
    if (newest.tag === undefined) return { kind: 'missing', because: `no tag of ${repository} satisfies ${target.pattern}` };
    const look = await lookAtTag(target, newest.tag, registry, signal);
    return look.kind === 'found' ? { ...look, newestTag: newest.tag } : look;
  }

  forget(keys: readonly string[]): void {
    for (const key of keys) this.#lists.delete(key);
  }

  #newest({ key, pattern }: ImageTargetState, tags: readonly string[]): { readonly tag?: string | undefined; readonly because?: string } {
    const checksum = createHash('sha256').update(tags.join('\n')).digest('base64');
    const known = this.#lists.get(key);
    if (known?.checksum === checksum) return { tag: known.newest };
    try {
      const newest = newestTag(pattern, tags);
      this.#lists.set(key, { checksum, newest });
      return { tag: newest };
    } catch (error) {
      return { because: error instanceof Error ? error.message : String(error) };
    }
  }
}

async function lookAtTag(target: ImageTargetState, tag: string, registry: Looker, signal: AbortSignal): Promise<Look> {
  const reference = imageText({ ...target.image, tag });
  const { platforms, digests, indexDigest } = target;
  const complete = indexDigest !== '' && platforms.every((platform) => digests[platform] !== undefined);
  const found = await registry.look(reference, { platforms, signal, ...(complete ? { known: indexDigest } : {}) });
  if (found === undefined) return { kind: 'missing', because: `${reference} does not exist` };
  return { kind: 'found', indexDigest: found.digest, digests: found.platforms ?? digests, newestTag: '' };
}
