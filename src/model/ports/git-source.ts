/** Git as a source of build contexts. URLs and refs are validated here and nowhere trusted before (threats 1 and 2). */
export interface GitSource {
  /**
   * Checks out one ref (branch, tag, commit, `pull/N/head`; empty: the remote's default branch) into an empty directory,
   * shallow where the server can, with submodules over https and LFS where installed.
   * Rejects with EngineError `context-failed` (network, unknown ref) or `context-rejected` (unsafe URL, ref or tree);
   * on failure the directory is left empty.
   */
  checkout(request: GitCheckoutRequest): Promise<GitCheckout>;
  /** HEAD commit and branch of a directory when it is (inside) a work tree, else undefined. Runs no hook and no filter. */
  describe(directory: string): Promise<{ readonly commit: string; readonly branch: string; readonly remote: string } | undefined>;
}

export interface GitCheckoutRequest {
  readonly url: string;
  readonly ref: string;
  readonly directory: string;
  readonly signal: AbortSignal;
  /**
   * Proves to the host of `url`, and to no other, who asks: over https, or http on loopback; other URLs with a token are rejected. It
   * reaches git through its environment only.
   */
  readonly token?: string;
  onProgress?(message: string): void;
}

export interface GitCheckout {
  readonly commit: string;
  readonly branch: string;
}
