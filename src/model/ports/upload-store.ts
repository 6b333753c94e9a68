/** Contexts that clients sent, tar streams plain or compressed, by the SHA-256 of exactly the bytes sent: the same context is sent once. */
export interface UploadStore {
  /** Whether it is whole and here; a use: it is kept for the retention from now on. */
  has(sha256: string): Promise<boolean>;
  /**
   * Takes the bytes; counts and hashes on the way. Rejects with EngineError `context-rejected` when the hash differs or a limit is passed, and keeps nothing then.
   * Two that send the same at once both succeed.
   */
  put(
    sha256: string,
    content: AsyncIterable<Uint8Array>,
    limits: { readonly maxBytes: number; readonly signal: AbortSignal },
  ): Promise<{ readonly bytes: number }>;
  /** Rejects with `context-failed` when it is not (any more) here. */
  open(sha256: string): Promise<AsyncIterable<Uint8Array>>;
  /** Removes what was not used since the time and `keep` does not name. Returns what was freed. */
  prune(options: {
    readonly before: string;
    readonly keep: ReadonlySet<string>;
  }): Promise<{ readonly files: number; readonly bytes: number }>;
  size(): Promise<number>;
}
