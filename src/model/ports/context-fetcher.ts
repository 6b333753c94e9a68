/** Fetches what is not git: archives over HTTP and from a stream. Unpacking is bounded and confined (threat 3). */
export interface ContextFetcher {
  /** Downloads and unpacks a tar (plain, gzip, bzip2, xz, zstd by magic bytes) into an empty directory. */
  fetchArchive(url: string, directory: string, options: { readonly signal: AbortSignal }): Promise<void>;
  /** The same from a stream. Resolves `dockerfile` with the text when the stream is no archive but text. */
  unpackStream(
    content: AsyncIterable<Uint8Array>,
    directory: string,
    /** `name` is what messages call the stream; `standard input` by default. */
    options: { readonly signal: AbortSignal; readonly name?: string },
  ): Promise<{ readonly kind: 'archive' } | { readonly kind: 'dockerfile'; readonly text: string }>;
}
