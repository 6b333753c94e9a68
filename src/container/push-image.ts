import type { TransferIo, TransferOutcome } from '../model/ports/container-engine.ts';
import type { KeyedLock } from '../util/keyed-lock.ts';
import { type EngineApi, EngineRefusal, isRefusal } from './engine-api.ts';
import { imagePath, splitTag, withTag } from './image-name.ts';
import { pushReference, type TransferSettings } from './transfer.ts';

/** Another process may give the tag away while this one pushes; who does so three times in a row does it on purpose. */
const TRIES = 3;

/** A push, and for a tag that the run gave to an image it built, that image's id. */
export interface ImagePush {
  readonly reference: string;
  readonly imageId?: string;
}

/**
 * Pushes one image once. Engines push what a tag names at that moment, and all runs share their tags: so the tag of an image that this run
 * built is held for the push, given back to that image where another run has taken it, and what was pushed is checked to be that image.
 */
export async function pushImage(
  api: EngineApi,
  { reference: image, imageId }: ImagePush,
  settings: TransferSettings & { readonly tagLocks: KeyedLock },
  io: TransferIo,
): Promise<TransferOutcome> {
  const reference = withTag(image);
  if (imageId === undefined) return await pushReference(api, reference, settings, io);
  try {
    return await settings.tagLocks.run(reference, io.signal, () => pushBuilt(api, { reference, imageId }, settings, io));
  } catch (error) {
    if (io.signal.aborted) return { ok: false, message: `The push of ${reference} was cancelled.`, permanent: false, canceled: true };
    throw error;
  }
}

async function pushBuilt(
  api: EngineApi,
  { reference, imageId }: Required<ImagePush>,
  settings: TransferSettings,
  io: TransferIo,
): Promise<TransferOutcome> {
  let retagged = false;
  for (let attempt = 1; ; attempt += 1) {
    // Looking up the login takes longer than this question, so it costs no time.
    const tagged = giveTag(api, reference, imageId, io.signal);
    const outcome = await pushReference(api, reference, settings, io, tagged);
    const change = await tagged;
    if (change.kind === 'gone') return { ok: false, message: change.message, permanent: true, canceled: false };
    retagged ||= change.kind === 'given';
    if (!outcome.ok) return outcome;
    if (await isPushed(api, { reference, imageId, digest: outcome.digest })) return retagged ? { ...outcome, retagged: true } : outcome;
    if (attempt === TRIES) return takenAway(reference, imageId);
  }
}

type TagChange = { readonly kind: 'kept' } | { readonly kind: 'given' } | { readonly kind: 'gone'; readonly message: string };

/** Makes sure that the tag names the image. */
async function giveTag(api: EngineApi, reference: string, imageId: string, signal: AbortSignal): Promise<TagChange> {
  if (sameId(await idOf(api, reference, signal), imageId)) return { kind: 'kept' };
  const { name: repo, tag } = splitTag(reference);
  try {
    await api.json({ method: 'POST', path: `/images/${imagePath(imageId)}/tag`, query: { repo, tag }, signal });
    return { kind: 'given' };
  } catch (error) {
    if (!isRefusal(error, 404)) throw error;
    return { kind: 'gone', message: `the image that this run built (${imageId}) is not in the engine any more` };
  }
}

/** The engine notes the digest that a registry has for an image at the image itself; one that does not is asked for the tag. */
async function isPushed(
  api: EngineApi,
  { reference, imageId, digest }: { readonly reference: string; readonly imageId: string; readonly digest: string },
): Promise<boolean> {
  const { name } = splitTag(reference);
  const noted = digest === '' ? undefined : await idOf(api, `${name}@${digest}`);
  return sameId(noted ?? (await idOf(api, reference)), imageId);
}

async function idOf(api: EngineApi, reference: string, signal?: AbortSignal): Promise<string | undefined> {
  try {
    const path = `/images/${imagePath(reference)}/json`;
    return (await api.json<{ Id: string }>({ method: 'GET', path, ...(signal === undefined ? {} : { signal }) })).Id;
  } catch (error) {
    if (error instanceof EngineRefusal && (error.status === 404 || error.status === 400)) return undefined;
    throw error;
  }
}

/** Podman leaves out the algorithm. */
function sameId(one: string | undefined, other: string): boolean {
  return one?.replace(/^sha256:/, '') === other.replace(/^sha256:/, '');
}

function takenAway(reference: string, imageId: string): TransferOutcome {
  const message = `another process gives the tag to other images while this run pushes the image that it built (${imageId}); what the registry has under ${reference} may be another's`;
  return { ok: false, message, permanent: true, canceled: false };
}
