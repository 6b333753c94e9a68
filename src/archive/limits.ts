/** Bounds of one archive. Sizes are bytes. */
export interface ArchiveLimits {
  /** Of the archive as received, and of what it unpacks to. */
  readonly maxBytes: number;
  readonly maxEntries: number;
  /** Unpacked to received bytes; looked at once `ratioFromBytes` are unpacked. */
  readonly maxRatio: number;
  readonly ratioFromBytes: number;
  /** Components of a path. */
  readonly maxDepth: number;
  /** Of a whole path; a component has at most 255, as on every usual file system. */
  readonly maxNameBytes: number;
}

export const DEFAULT_LIMITS: ArchiveLimits = {
  maxBytes: 4 * 1024 ** 3,
  maxEntries: 1_000_000,
  maxRatio: 200,
  ratioFromBytes: 64 * 1024 ** 2,
  maxDepth: 100,
  maxNameBytes: 4096,
};
