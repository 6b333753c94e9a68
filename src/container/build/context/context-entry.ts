/** One entry of a build context, in the engine's eyes: owned by root, with the mode and time it has here. */
export interface ContextEntry {
  /** Relative, with `/`, without a leading or trailing one. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'fifo' | 'block-device' | 'character-device';
  /** Permission bits with set-user-id, set-group-id and sticky: at most 0o7777. */
  readonly mode: number;
  /** Bytes; 0 for anything but a file. */
  readonly size: number;
  readonly mtimeNs: bigint;
  /** The text of a symbolic link; for a file, the earlier entry it is a hard link to. */
  readonly linkname?: string;
  readonly deviceMajor?: number;
  readonly deviceMinor?: number;
}

/** Limits what is listed: patterns of paths (a directory stands for all below it). Absent: everything. */
export interface EntrySelection {
  /** Paths, `*` and `?` allowed, of which links are followed inside the context. */
  readonly followPaths: readonly string[];
  readonly includePatterns: readonly string[];
}

export const EVERYTHING: EntrySelection = { followPaths: [], includePatterns: [] };

/** Something that can be listed and read as a build context. Several listings may be open at once. */
export interface ContextSource {
  /** Entries in the order of a walk with names sorted by bytes; a directory comes before what it holds. */
  entries(selection: EntrySelection): AsyncIterable<ContextEntry>;
  /** Content of a file entry of a listing. */
  read(entry: ContextEntry): AsyncIterable<Uint8Array>;
}

/** A context that cannot be read: a mistake of the files' owner, not a failure of the engine. */
export class ContextReadError extends Error {
  override readonly name = 'ContextReadError';
}

/** Orders names as their UTF-8 bytes do, which the engine insists on. */
export function compareNames(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left, 'utf8'), Buffer.from(right, 'utf8'));
}
