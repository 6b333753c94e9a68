import { err, ok, type Result } from '../util/result.ts';
import type { ImageDescription } from './image.ts';
import { splitImageReference, withDefaultTag } from './image-reference.ts';

/** Docker Hub's name in ACR's dependency document. */
const HUB_IN_DOCUMENT = 'registry.hub.docker.com';

/** A reference in the shape of ACR's dependency document. The error is one sentence. */
export function describeImage(image: string, digest = ''): Result<ImageDescription, string> {
  const reference = withDefaultTag(image);
  const written = splitImageReference(reference);
  if (!written.ok) return err(`\`${image}\` is no image reference: ${written.error}.`);
  const { domain, path, tag } = written.value;
  const named =
    domain === ''
      ? { registry: HUB_IN_DOCUMENT, repository: path.includes('/') ? path : `library/${path}` }
      : { registry: domain, repository: path };
  return ok({ ...named, ...(tag === '' ? {} : { tag }), digest: written.value.digest === '' ? digest : written.value.digest, reference });
}
