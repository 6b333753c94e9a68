import { EngineError } from '../model/engine-error.ts';
import type { BlobStore } from './blob-store.ts';
import { type Manifest, type PlatformDescriptor, readManifest } from './manifest.ts';
import { described, type ManifestStore, type Repository } from './manifest-store.ts';

const MAX_DEPTH = 4;
const MAX_MANIFESTS = 1000;
const BLOBS_AT_ONCE = 3;

export interface CopyRequest {
  readonly from: Repository;
  /** Tag or digest. */
  readonly name: string;
  readonly to: Repository;
  /** Tag or digest; a digest has to be the source's. */
  readonly newName: string;
  readonly signal: AbortSignal | undefined;
}

/** Copies a manifest after everything it names, children of an index included. Resolves to its digest. */
export async function copyImage(
  request: CopyRequest,
  stores: { readonly manifests: ManifestStore; readonly blobs: BlobStore },
): Promise<string> {
  const manifest = await stores.manifests.get(request.from, request.name, request.signal);
  if (manifest === undefined) throw new EngineError('image-not-found', `${described(request.from, request.name)} does not exist`);
  await copyManifest(manifest, request.newName, 0, { request, ...stores, budget: { left: MAX_MANIFESTS } });
  return manifest.digest;
}

interface Copy {
  readonly request: CopyRequest;
  readonly manifests: ManifestStore;
  readonly blobs: BlobStore;
  readonly budget: { left: number };
}

async function copyManifest(manifest: Manifest, newName: string, depth: number, copy: Copy): Promise<void> {
  const { from, to, signal } = copy.request;
  const content = readManifest(manifest);
  if (content === undefined)
    throw new EngineError(
      'registry-failed',
      `${described(from, manifest.digest)} is no manifest that can be copied (${manifest.mediaType})`,
    );
  copy.budget.left -= 1;
  if (depth > MAX_DEPTH || copy.budget.left < 0)
    throw new EngineError('registry-failed', `${described(from, copy.request.name)} is nested too deeply or names too much`);
  for (const child of content.manifests) {
    const found = await copy.manifests.get(from, child.digest, signal);
    // Sparse indexes are legal; an index that names what is not there is copied as it is where the registry takes it.
    if (found !== undefined) await copyManifest(found, child.digest, depth + 1, copy);
  }
  await copyBlobs(
    content.blobs.filter((blob) => (blob.urls?.length ?? 0) === 0),
    copy,
  );
  await copy.manifests.put(to, newName, { ...manifest, mediaType: content.mediaType }, signal);
}

/** A few at a time; the first failure stops the others. */
async function copyBlobs(blobs: readonly PlatformDescriptor[], { request, blobs: store }: Copy): Promise<void> {
  const failed = new AbortController();
  const signal = request.signal === undefined ? failed.signal : AbortSignal.any([request.signal, failed.signal]);
  const waiting = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
  const worker = async (): Promise<void> => {
    for (let blob = waiting.shift(); blob !== undefined; blob = waiting.shift()) await store.copy(request.from, request.to, blob, signal);
  };
  const workers = Array.from({ length: BLOBS_AT_ONCE }, worker);
  try {
    await Promise.all(workers);
  } finally {
    failed.abort();
    await Promise.allSettled(workers);
  }
}
