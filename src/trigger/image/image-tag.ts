import { DOCKER_HUB, parseImageReference, splitImageReference } from '../../model/image-reference.ts';
import type { ImageTag } from '../../model/trigger-event.ts';

/** `docker.io/library/node:20`; without the tag when it is empty. */
export function imageText({ registry, repository, tag }: ImageTag): string {
  return tag === '' ? `${registry}/${repository}` : `${registry}/${repository}:${tag}`;
}

/** For people: as they write it, `node:20`. */
export function shortImage({ registry, repository, tag }: ImageTag): string {
  if (registry !== DOCKER_HUB) return imageText({ registry, repository, tag });
  const path = repository.replace(/^library\//, '');
  return tag === '' ? path : `${path}:${tag}`;
}

/** The tag that a reference names, `latest` where none is written; undefined for what is no reference, or names a digest. */
export function imageTagOf(reference: string): ImageTag | undefined {
  const parsed = parseImageReference(reference);
  if (!parsed.ok || parsed.value.digest !== '') return undefined;
  const { host, repository, tag } = parsed.value;
  return { registry: host, repository, tag: tag === '' ? 'latest' : tag };
}

/** The reference as it is written, with another tag; undefined when it names a digest, or the tag is none. */
export function withTag(written: string, tag: string): string | undefined {
  const parts = splitImageReference(written);
  if (!parts.ok || parts.value.digest !== '') return undefined;
  const { domain, path } = parts.value;
  const tagged = `${domain === '' ? path : `${domain}/${path}`}:${tag}`;
  return parseImageReference(tagged).ok ? tagged : undefined;
}

export function sameRepository(one: ImageTag, other: ImageTag): boolean {
  return one.registry === other.registry && one.repository === other.repository;
}
