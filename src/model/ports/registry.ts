/** A client of the OCI distribution API. References are as users write them; hosts on loopback may speak plain HTTP. */
export interface Registry {
  /**
   * What a reference names now, by HEAD (and a GET of the index when `platform` is asked for a multi-platform image).
   * Resolves to undefined for 404. Rejects with EngineError `registry-unreachable`, `registry-denied`, `registry-failed`.
   */
  resolve(
    reference: string,
    options: { readonly platform?: string; readonly signal?: AbortSignal },
  ): Promise<ResolvedReference | undefined>;
  /**
   * What a tag names now, asked once and without retries: for whoever looks again later anyway. One HEAD; a GET of the index only when its
   * digest is not `known`. Undefined for 404. Rejects as `resolve`; the error has `retryAfterMs` when the registry asks to wait.
   */
  look(
    reference: string,
    options: { readonly platforms: readonly string[]; readonly known?: string; readonly signal?: AbortSignal },
  ): Promise<ImageLook | undefined>;
  /** All tags of a repository, paging done; undefined for 404. */
  listTags(repository: string, options?: { readonly signal?: AbortSignal }): Promise<readonly string[] | undefined>;
  /** Copies a manifest with everything it names, within and between registries; blobs are mounted where the registry can. */
  copy(from: string, to: string, options?: { readonly signal?: AbortSignal }): Promise<{ readonly digest: string }>;
  /** Deletes a manifest by digest or a tag's manifest. Resolves false for 404. */
  delete(reference: string, options?: { readonly signal?: AbortSignal }): Promise<boolean>;
  /** Descriptors that refer to a digest: the referrers API, or its tag fallback where the registry has none. */
  referrers(reference: string, options?: { readonly signal?: AbortSignal }): Promise<readonly Descriptor[]>;
  /** Pulls an artifact's manifest and streams its layers to `onLayer`. For `oci://` contexts. */
  pullArtifact(
    reference: string,
    onLayer: (layer: Descriptor, content: AsyncIterable<Uint8Array>) => Promise<void>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<{ readonly digest: string; readonly mediaType: string }>;
  /** Checks that the credentials may push to a repository (starts an upload and drops it). */
  probePush(repository: string, options?: { readonly signal?: AbortSignal }): Promise<void>;
}

export interface ImageLook {
  /** Of what the tag names: an index or a manifest. */
  readonly digest: string;
  /** Digest by platform asked for; empty for one that the index lacks. Absent when `digest` is the known one: it was not read. */
  readonly platforms?: Readonly<Record<string, string>>;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ResolvedReference {
  /** Digest of what the reference names: an index or a manifest. */
  readonly digest: string;
  readonly mediaType: string;
  /** Digest of the manifest for the platform asked for; equals `digest` for a single manifest. Empty when the index lacks it. */
  readonly platformDigest: string;
}
