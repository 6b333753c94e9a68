import { canonicalImage } from './canonical-image.ts';

/** A run that is kept apart from others has its images under names of its own in the engine. */
export interface RunImages {
  /** `kind/name`, as in `RunSpaceSpec.owner`. */
  readonly owner: string | undefined;
  /** Of the space in the engine, `[a-z0-9]{4,40}`. */
  readonly runId: string;
}

/** No registry can have this name (RFC 6761), so nothing under it is ever pulled or pushed. */
const HOST = 'slipway.invalid';

/** What the names of all images of an owner's runs start with; the id of the run comes next. */
export function ownerImagePrefix(owner: string | undefined): string {
  return `${HOST}/${owner ?? 'process'}/`;
}

/** What the names of all images of a run start with. */
export function runImagePrefix({ owner, runId }: RunImages): string {
  return `${ownerImagePrefix(owner)}${runId}/`;
}

/** The name that a run which is kept apart gives to an image instead of `reference`: equal for all spellings of it, and for no other. */
export function runImageName(images: RunImages, reference: string): string {
  // A port and the brackets of an IPv6 address may not stand in a repository's name; `_` may not stand in a host's.
  const [host = '', ...path] = canonicalImage(reference).split('/');
  return `${runImagePrefix(images)}${host.toLowerCase().replaceAll(':', '_').replaceAll(/[[\]]/g, '')}/${path.join('/')}`;
}
