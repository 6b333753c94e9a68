import { DOCKER_HUB, parseImageReference } from '../../model/image-reference.ts';
import type { Delivery, ReadDelivery } from '../../model/ports/delivery-reader.ts';
import type { Happening } from '../../model/trigger-event.ts';
import { ignored, type RegistrySourceOfHook } from './message.ts';
import { isAuthorized } from './proof.ts';

const MOST_IMAGES = 1000;
const HUB_NAMES = new Set([DOCKER_HUB, 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com']);
const MANIFESTS = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]);

/** A tag as a registry tells it. What is no text stands for nothing. */
export interface ToldImage {
  readonly repository: unknown;
  readonly tag: unknown;
  readonly digest?: unknown;
}

/** Whether blobs can be left out: only manifests and indexes are images. */
export function isManifestType(mediaType: string | undefined): boolean {
  return mediaType !== undefined && MANIFESTS.has(mediaType.toLowerCase());
}

/**
 * One happening for each tag, under the registry of the hook: the payload's own host is not trusted. Names that no image can have are left
 * out rather than refused, because a registry sends a refused envelope again and again, and what comes after it waits.
 */
export function imageDelivery(deliveryId: string, source: RegistrySourceOfHook, told: readonly ToldImage[]): ReadDelivery {
  const happenings = new Map<string, Happening>();
  for (const image of told) {
    const happening = imageHappening(source.registry, image);
    if (happening === undefined) continue;
    const key = `${happening.image.repository}:${happening.image.tag}`;
    // The last word on a tag counts.
    happenings.delete(key);
    happenings.set(key, happening);
    if (happenings.size >= MOST_IMAGES) break;
  }
  return happenings.size === 0
    ? ignored('it names no tag of an image')
    : { kind: 'happenings', deliveryId, happenings: [...happenings.values()] };
}

function imageHappening(
  registry: string,
  { repository, tag, digest }: ToldImage,
): Extract<Happening, { readonly kind: 'image' }> | undefined {
  if (typeof repository !== 'string' || typeof tag !== 'string') return undefined;
  const hub = HUB_NAMES.has(registry);
  // Any host stands for the registry: only the name and the tag are to be judged.
  const parsed = parseImageReference(`registry.invalid/${hub && !repository.includes('/') ? 'library/' : ''}${repository}:${tag}`);
  if (!parsed.ok || parsed.value.tag === '' || parsed.value.digest !== '') return undefined;
  const image = { registry: hub ? DOCKER_HUB : registry, repository: parsed.value.repository, tag: parsed.value.tag };
  return { kind: 'image', image, ...(isDigest(digest) ? { digest } : {}) };
}

function isDigest(digest: unknown): digest is string {
  return typeof digest === 'string' && /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(digest);
}

/** The proof of registries that sign nothing but send a header of the administrator's choice. */
export function verifyAuthorization({ headers }: Delivery, secrets: readonly string[]): string | undefined {
  return isAuthorized(headers['authorization'], secrets) ? undefined : 'expected the header Authorization with the secret of the hook';
}
