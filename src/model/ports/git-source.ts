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
  /**
   * Every branch, tag and pull request head of a remote, by full name (`refs/heads/main`); tags are peeled to commits. One round trip. The
   * default branch is `head`. Rejects with EngineError `context-failed` or `context-rejected`. `patterns` narrow it where the server can: full
   * names, or patterns as `git ls-remote` takes them.
   */
  listRefs(request: GitRemoteRequest & { readonly patterns?: readonly string[] }): Promise<RemoteRefs>;
  /**
   * What lies between two commits of a remote, by git and never by a payload: changed paths (of the merge base when `before` is no ancestor of
   * `after`), and the message of `after`. `before` absent: against `against` (a ref). Uses and keeps a cache below `cacheDirectory` without file
   * contents where the server can. `paths` is undefined when it cannot be known (`before` unreachable).
   */
  changes(request: GitChangesRequest): Promise<GitChanges>;
}

export interface GitRemoteRequest {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly token?: string;
}

export interface RemoteRefs {
  /** Full name of the default branch; absent in an empty repository. */
  readonly head?: string;
  /** Object ids of commits by full ref name. */
  readonly refs: ReadonlyMap<string, string>;
  /** Ids of the tag objects of annotated tags, by full ref name. */
  readonly tagObjects: ReadonlyMap<string, string>;
}

export interface GitChangesRequest extends GitRemoteRequest {
  readonly after: string;
  /** A ref that leads to `after`, for servers that serve no commit by its id. */
  readonly afterRef?: string;
  readonly before?: string;
  readonly against?: string;
  /** A branch was moved from `before` to `after`: where `after` is in the history of `before`, what was taken back counts as changed. */
  readonly isMove?: boolean;
  readonly cacheDirectory: string;
}

export interface GitChanges {
  readonly paths: readonly string[] | undefined;
  readonly message: string;
  /** The commit at which both sides part: `before` itself when `after` follows it. Absent when it cannot be known. */
  readonly base?: string;
}

export interface GitCheckoutRequest {
  readonly url: string;
  readonly ref: string;
  /** Tried when the server refuses to serve `ref`, a commit, by its id; the commit must be among what it leads to. */
  readonly throughRef?: string;
  readonly directory: string;
  readonly signal: AbortSignal;
  /**
   * Proves to the host of `url`, and to no other, who asks: over https, or http on loopback; other URLs with a token are rejected. It
   * reaches git through its environment only.
   */
  readonly token?: string;
  /**
   * No submodules and no large files: of code that strangers wrote, which would choose what `token` reads besides the repository itself. What is
   * left out is told.
   */
  readonly ownTreeOnly?: boolean;
  onProgress?(message: string): void;
}

export interface GitCheckout {
  readonly commit: string;
  readonly branch: string;
}
