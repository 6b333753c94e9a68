import { Readable } from 'node:stream';
import { type ContextEntry, ContextReadError, type ContextSource, EVERYTHING } from './context/context-entry.ts';
import { directorySource } from './context/directory-source.ts';
import { compileIgnoreRules } from './ignore-patterns.ts';
import { TAR_END, tarHeader, tarPadding } from './tar-header.ts';

const BUFFER_BYTES = 256 * 1024;

/**
 * Streams a directory as a tar owned by root, leaving out what the lines of a .dockerignore exclude. Ignored
 * directories are not opened, links stay links, sockets are left out, entries come in a fixed order. Destroying the
 * stream stops the walk. The stream fails with ContextReadError for a file that cannot be read or changes its size
 * meanwhile; throws IgnorePatternError for a malformed pattern.
 */
export function packDirectory(path: string, ignore: readonly string[]): Readable {
  return packSource(directorySource(path, compileIgnoreRules(ignore)));
}

/** A file that is added to a packed context; it replaces an entry of the same name. */
export interface ExtraFile {
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array;
}

/** Streams a context as a tar, `extras` first. */
export function packSource(source: ContextSource, extras: readonly ExtraFile[] = []): Readable {
  return Readable.from(tarChunks(source, extras), { objectMode: false, highWaterMark: BUFFER_BYTES });
}

async function* tarChunks(source: ContextSource, extras: readonly ExtraFile[]): AsyncGenerator<Uint8Array> {
  const replaced = new Set<string>();
  for (const { path, mode, content } of extras) {
    replaced.add(path);
    yield tarHeader({ path, kind: 'file', mode, size: content.length, mtimeNs: 0n });
    yield content;
    yield tarPadding(content.length);
  }
  for await (const entry of source.entries(EVERYTHING)) {
    if (replaced.has(entry.path)) continue;
    yield tarHeader(entry);
    if (entry.kind === 'file' && entry.linkname === undefined) yield* fileChunks(source, entry);
  }
  yield TAR_END;
}

async function* fileChunks(source: ContextSource, entry: ContextEntry): AsyncGenerator<Uint8Array> {
  let read = 0;
  if (entry.size > 0) {
    for await (const chunk of source.read(entry)) {
      read += chunk.length;
      if (read > entry.size) break;
      yield chunk;
    }
  }
  if (read !== entry.size) {
    const change = read > entry.size ? 'grew' : 'shrank';
    throw new ContextReadError(
      `the build context's ${entry.path} ${change} while it was read: finish writing it first, or add it to .dockerignore`,
    );
  }
  yield tarPadding(entry.size);
}
