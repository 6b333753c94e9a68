import { createHash } from 'node:crypto';
import type { Descriptor } from '../model/ports/registry.ts';

export const INDEX_TYPES: readonly string[] = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
export const MANIFEST_TYPES: readonly string[] = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

/** For HEAD and GET: a registry that is not asked for a type converts the manifest, and so changes its digest. */
export const ACCEPT = [...INDEX_TYPES, ...MANIFEST_TYPES].join(', ');

/** A manifest or index as its registry gave it; `bytes` are what the digest is of. */
export interface Manifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface PlatformDescriptor extends Descriptor {
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant: string };
  /** Layers that live elsewhere (foreign layers). */
  readonly urls?: readonly string[];
}

/** What a manifest names: `manifests` for an index, else `config` and `layers`. */
export interface ManifestContent {
  readonly mediaType: string;
  readonly manifests: readonly PlatformDescriptor[];
  readonly blobs: readonly PlatformDescriptor[];
  readonly layers: readonly PlatformDescriptor[];
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function isDigest(text: unknown): text is string {
  return typeof text === 'string' && /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(text);
}

/** Reads a manifest or index; undefined when it is not one. Entries without a valid digest and size make it invalid. */
export function readManifest(manifest: Pick<Manifest, 'bytes' | 'mediaType'>): ManifestContent | undefined {
  const body = parseObject(manifest.bytes);
  if (body === undefined) return undefined;
  const mediaType = typeof body['mediaType'] === 'string' ? body['mediaType'] : manifest.mediaType;
  const manifests = descriptors(body['manifests']);
  const layers = descriptors(body['layers']);
  const config = body['config'] === undefined ? [] : descriptors([body['config']]);
  if (manifests === undefined || layers === undefined || config === undefined) return undefined;
  return { mediaType, manifests, layers, blobs: [...config, ...layers] };
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function descriptors(value: unknown): readonly PlatformDescriptor[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return undefined;
  const found = value.map(descriptor);
  return found.every((entry) => entry !== undefined) ? found : undefined;
}

function descriptor(value: unknown): PlatformDescriptor | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const { digest, size, mediaType, artifactType, annotations, urls } = fields;
  if (!isDigest(digest) || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined;
  return {
    digest,
    size,
    mediaType: typeof mediaType === 'string' ? mediaType : '',
    ...(typeof artifactType === 'string' && artifactType !== '' ? { artifactType } : {}),
    ...(isStringRecord(annotations) ? { annotations } : {}),
    ...(Array.isArray(urls) ? { urls: urls.map(String) } : {}),
    ...platformOf(fields['platform']),
  };
}

function platformOf(value: unknown): Pick<PlatformDescriptor, 'platform'> {
  if (typeof value !== 'object' || value === null) return {};
  const { os, architecture, variant }: { os?: unknown; architecture?: unknown; variant?: unknown } = value;
  if (typeof os !== 'string' || typeof architecture !== 'string') return {};
  return { platform: { os, architecture, variant: typeof variant === 'string' ? variant : '' } };
}

function isStringRecord(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && value !== null && Object.values(value).every((entry) => typeof entry === 'string');
}
