/** One image in ACR's dependency document (spec: output shape). `tag` is left out when empty; `digest` may be empty. */
export interface ImageDescription {
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest: string;
  readonly reference: string;
}

/** An entry of the dependency document, in ACR's own key names. */
export interface ImageDependencies {
  readonly image: ImageDescription | null;
  readonly 'runtime-dependency': ImageDescription;
  readonly 'buildtime-dependency': readonly ImageDescription[] | null;
  readonly git: { readonly 'git-head-revision': string };
}

/** A base image as one build resolved it. Digests are `sha256:…`; empty when unknown. */
export interface BaseImage {
  /** As written in the Dockerfile, after ARG expansion. */
  readonly reference: string;
  /** What was taken in its place: the reference with the tag that a track of the task chose. */
  readonly used?: string;
  /** `os/arch[/variant]`; empty when the image is not resolved for one platform. */
  readonly platform: string;
  /** Digest of what the tag names: the index of a multi-platform image, otherwise the manifest. */
  readonly indexDigest: string;
  /** Digest of the manifest for `platform`. */
  readonly platformDigest: string;
  readonly role: 'runtime' | 'buildtime';
  /** Where the answer came from; `engine` images are known by `imageId` only. */
  readonly source: 'registry' | 'engine' | 'scratch' | 'unresolved';
  /** Image id in the engine, for `source: engine`. */
  readonly imageId?: string;
}

/** An image that a push step put into a registry. */
export interface PushedImage {
  readonly step: string;
  readonly reference: string;
  readonly digest: string;
}

/** An image that a build step made; `id` is the engine's image id, tags as written. */
export interface BuiltImage {
  readonly step: string;
  readonly id: string;
  readonly tags: readonly string[];
}
