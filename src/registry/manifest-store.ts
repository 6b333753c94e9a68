import { EngineError } from '../model/engine-error.ts';
import type { HttpResponse } from '../util/http.ts';
import { isTransientStatus } from '../util/http-retry.ts';
import { ACCEPT, isDigest, type Manifest, sha256 } from './manifest.ts';
import type { RegistryHttp, RegistryRequest } from './registry-http.ts';

const MAX_MANIFEST = 8 * 1024 * 1024;
/** Without a byte: who looks again later anyway does not wait for a registry that hangs. */
const LOOK_IDLE_MS = 15_000;

export interface Repository {
  readonly host: string;
  readonly repository: string;
}

/** Manifests of repositories; `name` is a tag or a digest. Undefined means 404. */
export interface ManifestStore {
  /** As `head`, sent once. Only where the registry answers HEAD with no digest, or not at all, is the manifest read. */
  look(repository: Repository, name: string, signal?: AbortSignal): Promise<Pick<Manifest, 'digest' | 'mediaType'> | undefined>;
  head(repository: Repository, name: string, signal?: AbortSignal): Promise<Pick<Manifest, 'digest' | 'mediaType'> | undefined>;
  get(repository: Repository, name: string, signal?: AbortSignal): Promise<Manifest | undefined>;
  put(repository: Repository, name: string, manifest: Manifest, signal?: AbortSignal): Promise<void>;
  /** False for 404. */
  remove(repository: Repository, digest: string, signal?: AbortSignal): Promise<boolean>;
}

export function createManifestStore(http: RegistryHttp): ManifestStore {
  return {
    get: (repository, name, signal) => getManifest(http, repository, name, signal),
    head: (repository, name, signal) => headManifest(http, repository, name, { signal }),
    look: (repository, name, signal) => headManifest(http, repository, name, { signal, retry: false }),
    put: async (repository, name, manifest, signal) => {
      const headers = { 'content-type': manifest.mediaType };
      const response = await http.send({ ...request(repository, name, 'pull,push', signal), method: 'PUT', headers, body: manifest.bytes });
      if (response.status !== 201 && response.status !== 200)
        throw await http.errorOf(repository.host, `the push of ${described(repository, name)}`, response);
      response.discard();
    },
    remove: (repository, digest, signal) => removeManifest(http, repository, digest, signal),
  };
}

async function headManifest(
  http: RegistryHttp,
  repository: Repository,
  name: string,
  { signal, retry = true }: { readonly signal: AbortSignal | undefined; readonly retry?: boolean },
): Promise<Pick<Manifest, 'digest' | 'mediaType'> | undefined> {
  const asked = {
    ...request(repository, name, 'pull', signal),
    method: 'HEAD' as const,
    headers: { accept: ACCEPT },
    retry,
    ...(retry ? {} : { idleTimeoutMs: LOOK_IDLE_MS }),
  };
  const response = await http.send(asked);
  response.discard();
  if (response.status === 404) return undefined;
  const digest = response.headers['docker-content-digest'];
  const mediaType = contentType(response);
  if (response.status === 200 && isDigest(digest) && mediaType !== '') return { digest, mediaType };
  // A registry that wants to be left alone is not asked again at once.
  if (!retry && response.status !== 200 && isTransientStatus(response.status)) {
    throw await http.errorOf(repository.host, `the question about ${described(repository, name)}`, response);
  }
  // HEAD is not everywhere, or without the digest, and has no body that says why it failed.
  return getManifest(http, repository, name, signal);
}

function request(
  { host, repository }: Repository,
  name: string,
  action: 'pull' | 'pull,push' | 'delete',
  signal: AbortSignal | undefined,
): RegistryRequest {
  const scopes = [`repository:${repository}:${action}`];
  return { host, target: `/v2/${repository}/manifests/${name}`, scopes, signal, maxBytes: MAX_MANIFEST };
}

async function getManifest(
  http: RegistryHttp,
  repository: Repository,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Manifest | undefined> {
  const response = await http.send({ ...request(repository, name, 'pull', signal), headers: { accept: ACCEPT } });
  if (response.status === 404) {
    response.discard();
    return undefined;
  }
  if (response.status !== 200) throw await http.errorOf(repository.host, `the request for ${described(repository, name)}`, response);
  const bytes = await response.bytes().catch((error: unknown) => Promise.reject(http.failure(repository.host, error)));
  return { bytes, digest: verifiedDigest(bytes, name, response, repository), mediaType: contentType(response) };
}

async function removeManifest(
  http: RegistryHttp,
  repository: Repository,
  digest: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const response = await http.send({ ...request(repository, digest, 'delete', signal), method: 'DELETE' });
  if (response.status < 300 || response.status === 404) {
    response.discard();
    return response.status !== 404;
  }
  if (response.status !== 405) throw await http.errorOf(repository.host, `the deletion of ${described(repository, digest)}`, response);
  response.discard();
  throw new EngineError('registry-failed', `${repository.host} does not allow deletion`, {
    help: 'The CNCF registry allows it with `storage.delete.enabled: true` in its configuration (REGISTRY_STORAGE_DELETE_ENABLED=true).',
  });
}

/** A digest asked for, or announced, has to be that of the bytes: a registry may not swap images. */
function verifiedDigest(bytes: Buffer, name: string, response: HttpResponse, repository: Repository): string {
  const actual = sha256(bytes);
  const announced = response.headers['docker-content-digest'];
  const wanted = isDigest(name) ? name : isDigest(announced) ? announced : actual;
  if (wanted.startsWith('sha256:') && wanted !== actual) {
    throw new EngineError(
      'registry-failed',
      `${repository.host} sent a manifest of ${described(repository, name)} whose digest is ${actual}, not ${wanted}`,
    );
  }
  return wanted;
}

function contentType(response: HttpResponse): string {
  return (response.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

export function described({ host, repository }: Repository, name: string): string {
  return `${host}/${repository}${isDigest(name) ? '@' : ':'}${name}`;
}
