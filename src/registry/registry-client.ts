import { EngineError } from '../model/engine-error.ts';
import { type ImageReference, parseImageReference } from '../model/image-reference.ts';
import type { CredentialSource } from '../model/ports/credential-source.ts';
import type { Descriptor, ImageLook, Registry, ResolvedReference } from '../model/ports/registry.ts';
import type { AddressPolicy } from '../util/address-policy.ts';
import type { RetryPolicy } from '../util/retry.ts';
import { createAuthorizer } from './authorizer.ts';
import { createBlobStore } from './blob-store.ts';
import { choosePlatform } from './choose-platform.ts';
import { copyImage } from './copy-image.ts';
import { createEndpoints } from './endpoint.ts';
import { CERTIFICATE_FOLDERS } from './host-certificates.ts';
import { ACCEPT, INDEX_TYPES, type ManifestContent, readManifest } from './manifest.ts';
import { createManifestStore, described, type ManifestStore } from './manifest-store.ts';
import { readPages } from './pages.ts';
import { createRegistryHttp, type RegistryHttp } from './registry-http.ts';

export interface RegistryClientOptions {
  readonly credentials: CredentialSource;
  /** `host[:port]` of registries besides loopback that may speak plain HTTP or show any certificate. */
  readonly insecureRegistries: readonly string[];
  /** Private and loopback addresses are allowed by default; link-local and metadata addresses never are. */
  readonly addresses?: AddressPolicy;
  /** Hosts of token servers that may get a registry's credentials although their domain differs. */
  readonly trustedRealms?: readonly string[];
  readonly extraCertificates?: readonly string[];
  /** Folders with `HOST/*.crt`; by default those of Docker and Podman. */
  readonly certificateFolders?: readonly string[];
  readonly retry?: RetryPolicy;
}

const RETRY: RetryPolicy = { attempts: 4, baseMs: 500, capMs: 30_000 };

/** A client of the OCI distribution API. It keeps connections and tokens; `close` ends idle connections. */
export function createRegistryClient(options: RegistryClientOptions): Registry & { close(): void } {
  const retry = options.retry ?? RETRY;
  const endpoints = createEndpoints({
    addresses: options.addresses ?? { allowPrivate: true, allowLoopback: true },
    insecureRegistries: options.insecureRegistries,
    extraCertificates: options.extraCertificates ?? [],
    certificateFolders: options.certificateFolders ?? CERTIFICATE_FOLDERS,
  });
  // Hosts of URLs are in lower case.
  const trustedRealms = (options.trustedRealms ?? []).map((host) => host.toLowerCase());
  const authorizer = createAuthorizer({ credentials: options.credentials, endpoints, trustedRealms, retry });
  const http = createRegistryHttp({ endpoints, authorizer, retry });
  const manifests = createManifestStore(http);
  const blobs = createBlobStore(http, retry);
  return {
    resolve: async (reference, { platform, signal }) => resolve(manifests, located(reference), platform, signal),
    look: async (reference, options) => look(manifests, located(reference), options),
    listTags: async (repository, { signal } = {}) => listTags(http, located(repository), signal),
    copy: async (from, to, { signal } = {}) => {
      const source = located(from);
      const target = located(to);
      const request = { from: source, name: nameOf(source), to: target, newName: nameOf(target), signal };
      return { digest: await copyImage(request, { manifests, blobs }) };
    },
    delete: async (reference, { signal } = {}) => {
      const target = located(reference);
      const digest = target.digest === '' ? (await manifests.head(target, nameOf(target), signal))?.digest : target.digest;
      return digest === undefined ? false : manifests.remove(target, digest, signal);
    },
    referrers: async (reference, { signal } = {}) => referrers(http, manifests, located(reference), signal),
    pullArtifact: async (reference, onLayer, { signal } = {}) => {
      const target = located(reference);
      const { digest, mediaType, content } = await artifact(manifests, target, signal);
      for (const layer of content.layers) await onLayer(layer, blobs.read(target, layer, signal));
      return { digest, mediaType };
    },
    probePush: async (repository, { signal } = {}) => blobs.probeUpload(located(repository), signal),
    close: () => endpoints.close(),
  };
}

function located(text: string): ImageReference {
  const parsed = parseImageReference(text);
  if (parsed.ok) return { ...parsed.value, host: parsed.value.host.toLowerCase() };
  throw new EngineError('registry-failed', `${JSON.stringify(text.slice(0, 300))} is no image reference: ${parsed.error}`, {
    help: 'Write it as `registry.example.com/repository:tag`.',
  });
}

function nameOf({ tag, digest }: ImageReference): string {
  if (digest !== '') return digest;
  return tag === '' ? 'latest' : tag;
}

async function resolve(
  manifests: ManifestStore,
  reference: ImageReference,
  platform: string | undefined,
  signal: AbortSignal | undefined,
): Promise<ResolvedReference | undefined> {
  const head = await manifests.head(reference, nameOf(reference), signal);
  if (head === undefined) return undefined;
  const { digest, mediaType } = head;
  if (platform === undefined || !INDEX_TYPES.includes(mediaType)) return { digest, mediaType, platformDigest: digest };
  // By digest: the tag may have moved since.
  const index = await manifests.get(reference, digest, signal);
  const content = index === undefined ? undefined : readManifest(index);
  return { digest, mediaType, platformDigest: choosePlatform(content?.manifests ?? [], platform)?.digest ?? '' };
}

async function look(
  manifests: ManifestStore,
  reference: ImageReference,
  { platforms, known, signal }: { readonly platforms: readonly string[]; readonly known?: string; readonly signal?: AbortSignal },
): Promise<ImageLook | undefined> {
  const head = await manifests.look(reference, nameOf(reference), signal);
  if (head === undefined) return undefined;
  const { digest } = head;
  if (digest === known) return { digest };
  if (!INDEX_TYPES.includes(head.mediaType)) return { digest, platforms: Object.fromEntries(platforms.map((one) => [one, digest])) };
  const index = await manifests.get(reference, digest, signal);
  const entries = (index === undefined ? undefined : readManifest(index))?.manifests ?? [];
  return { digest, platforms: Object.fromEntries(platforms.map((one) => [one, choosePlatform(entries, one)?.digest ?? ''])) };
}

function listTags(
  http: RegistryHttp,
  { host, repository }: ImageReference,
  signal: AbortSignal | undefined,
): Promise<readonly string[] | undefined> {
  const request = { host, target: `/v2/${repository}/tags/list?n=1000`, scopes: [`repository:${repository}:pull`], signal };
  return readPages(http, request, `the list of tags of ${host}/${repository}`, ({ tags }) =>
    Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [],
  );
}

async function referrers(
  http: RegistryHttp,
  manifests: ManifestStore,
  reference: ImageReference,
  signal: AbortSignal | undefined,
): Promise<readonly Descriptor[]> {
  const digest = reference.digest === '' ? (await manifests.head(reference, nameOf(reference), signal))?.digest : reference.digest;
  if (digest === undefined) throw new EngineError('image-not-found', `${described(reference, nameOf(reference))} does not exist`);
  const { host, repository } = reference;
  const request = {
    host,
    target: `/v2/${repository}/referrers/${digest}`,
    scopes: [`repository:${repository}:pull`],
    headers: { accept: ACCEPT },
    signal,
  };
  const answered = await readPages(http, request, `the referrers of ${described(reference, digest)}`, (page) =>
    descriptorsOf(Buffer.from(JSON.stringify(page))),
  );
  if (answered !== undefined) return answered;
  const fallback = await manifests.get(reference, digest.replace(':', '-'), signal);
  return fallback === undefined ? [] : descriptorsOf(fallback.bytes);
}

function descriptorsOf(bytes: Buffer): readonly Descriptor[] {
  const content = readManifest({ bytes, mediaType: '' });
  return (content?.manifests ?? []).map(({ platform: _platform, urls: _urls, ...descriptor }) => descriptor);
}

async function artifact(
  manifests: ManifestStore,
  reference: ImageReference,
  signal: AbortSignal | undefined,
): Promise<{ readonly digest: string; readonly mediaType: string; readonly content: ManifestContent }> {
  const name = described(reference, nameOf(reference));
  const manifest = await manifests.get(reference, nameOf(reference), signal);
  if (manifest === undefined) throw new EngineError('image-not-found', `${name} does not exist`);
  const content = readManifest(manifest);
  if (content === undefined || content.manifests.length > 0) {
    throw new EngineError('registry-failed', `${name} is no single artifact but ${manifest.mediaType}`, {
      help: 'Name the manifest of one artifact by its tag or digest.',
    });
  }
  return { digest: manifest.digest, mediaType: content.mediaType, content };
}
