import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { type ContextEntry, ContextReadError, type ContextSource } from '../../container/build/context/context-entry.ts';
import { directorySource } from '../../container/build/context/directory-source.ts';
import { type ExtraFile, packSource } from '../../container/build/context-tar.ts';
import { compileIgnoreRules, IgnorePatternError } from '../../container/build/ignore-patterns.ts';
import { EngineError } from '../../model/engine-error.ts';
import { formatBytes } from '../terminal/format-duration.ts';

/** Left out of what is sent, as ACR does, unless `!.git` lets them in again: large, and different on every desk. */
const VERSION_CONTROL = ['**/.git', '**/.hg', '**/.svn', '**/.bzr'];
/**
 * The time of every entry: the same files give the same hash on every desk, so that they are sent once. Tools of archives expect no
 * time before 1980; this is the one npm gives to files of its packages.
 */
const ENTRY_TIME_NS = 499_162_500n * 1_000_000_000n;
const LARGEST_SHOWN = 5;

/** A local folder as it would be sent. */
export interface PackedContext {
  readonly sha256: string;
  /** Bytes of the tar. */
  readonly length: number;
  readonly files: number;
  /** What takes most of it, largest first: files, and top-level folders. */
  readonly largest: readonly { readonly path: string; readonly bytes: number }[];
  /** Pipes and devices, which cannot be sent. */
  readonly leftOut: readonly string[];
  /** The tar, packed anew. */
  open(): AsyncIterable<Uint8Array>;
}

export interface PackOptions {
  /** The .dockerignore of this Dockerfile counts instead (`NAME.dockerignore`); relative to the folder. */
  readonly dockerfile?: string;
  /** Never left out, whatever .dockerignore says. */
  readonly keep?: readonly string[];
  readonly extras?: readonly ExtraFile[];
  readonly signal: AbortSignal;
}

/**
 * Reads a folder once to know its hash, its size and what is large in it. Rejects with EngineError `context-rejected` for what cannot be read
 * or a malformed .dockerignore.
 */
export async function packContext(directory: string, options: PackOptions): Promise<PackedContext> {
  const source = await contextSource(directory, options);
  const tally = new Tally();
  const hash = createHash('sha256');
  let length = 0;
  const open = (counted?: Tally): AsyncIterable<Uint8Array> => packSource(sendable(source, counted), options.extras);
  try {
    for await (const chunk of open(tally)) {
      options.signal.throwIfAborted();
      hash.update(chunk);
      length += chunk.length;
    }
  } catch (error) {
    throw readFailure(error);
  }
  return {
    sha256: hash.digest('hex'),
    length,
    files: tally.files,
    largest: tally.largest(),
    leftOut: tally.leftOut,
    open: () => failingAsEngineError(open()),
  };
}

/** A refusal of the daemon with what to leave out first. */
export function contextTooLarge(context: PackedContext, refusal: string): EngineError {
  const largest = context.largest.map(({ path, bytes }) => `${path} (${formatBytes(bytes)})`).join(', ');
  return new EngineError('too-large', `the context of ${formatBytes(context.length)} is refused: ${refusal}`, {
    help: `Leave out what is not needed with .dockerignore. Largest: ${largest}`,
  });
}

async function contextSource(directory: string, options: PackOptions): Promise<ContextSource> {
  const { name, lines } = await ignoreLines(directory, options.dockerfile);
  const keep = ['Dockerfile', '.dockerignore', ...(options.keep ?? [])].map((path) => `!${path}`);
  try {
    return directorySource(directory, compileIgnoreRules([...lines, ...keep]));
  } catch (error) {
    if (!(error instanceof IgnorePatternError)) throw error;
    // Lines of our own stand before those of the file.
    const line = error.line - VERSION_CONTROL.length;
    throw new EngineError('context-rejected', error.message.replace(/^\.dockerignore line \d+/, `${join(directory, name)} line ${line}`), {
      cause: error,
    });
  }
}

async function ignoreLines(
  directory: string,
  dockerfile: string | undefined,
): Promise<{ readonly name: string; readonly lines: readonly string[] }> {
  const names = [...(dockerfile === undefined ? [] : [`${dockerfile}.dockerignore`]), '.dockerignore'];
  for (const name of names) {
    const path = join(directory, name);
    if (!((await stat(path).catch(() => undefined))?.isFile() ?? false)) continue;
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      throw readFailure(new ContextReadError(`${path} cannot be read`, { cause }));
    });
    return { name, lines: [...VERSION_CONTROL, ...text.replace(/^\uFEFF/, '').split(/\r?\n/)] };
  }
  return { name: '.dockerignore', lines: VERSION_CONTROL };
}

/** The same context with one time for all entries, without what no archive can carry to another machine. */
function sendable(source: ContextSource, tally: Tally | undefined): ContextSource {
  return {
    read: (entry) => source.read(entry),
    async *entries(selection) {
      for await (const entry of source.entries(selection)) {
        tally?.count(entry);
        refuseWayOut(entry);
        if (isSendable(entry)) yield { ...entry, mtimeNs: ENTRY_TIME_NS };
      }
    },
  };
}

function isSendable({ kind }: ContextEntry): boolean {
  return kind === 'file' || kind === 'directory' || kind === 'symlink';
}

/** A daemon takes no link that leads out of what is sent: there it would lead to files of another machine. */
function refuseWayOut({ kind, path, linkname }: ContextEntry): void {
  if (kind !== 'symlink' || linkname === undefined) return;
  const place = posix.isAbsolute(linkname) ? '..' : posix.normalize(posix.join(posix.dirname(path), linkname));
  if (place !== '..' && !place.startsWith('../')) return;
  throw new EngineError('context-rejected', `the build context's ${path} is a symbolic link that leads out of it, to ${linkname}`, {
    help: 'A daemon does not have what it leads to: name the link in .dockerignore, or put what it leads to into the context.',
  });
}

class Tally {
  files = 0;
  readonly leftOut: string[] = [];
  readonly #folders = new Map<string, number>();
  #largest: { readonly path: string; readonly bytes: number }[] = [];

  count(entry: ContextEntry): void {
    if (!isSendable(entry)) {
      this.leftOut.push(entry.path);
      return;
    }
    if (entry.kind !== 'file' || entry.linkname !== undefined) return;
    this.files += 1;
    const slash = entry.path.indexOf('/');
    if (slash !== -1) {
      const folder = entry.path.slice(0, slash + 1);
      this.#folders.set(folder, (this.#folders.get(folder) ?? 0) + entry.size);
    }
    if (entry.size > (this.#largest.at(-1)?.bytes ?? 0) || this.#largest.length < LARGEST_SHOWN) {
      this.#largest = largestOf([...this.#largest, { path: entry.path, bytes: entry.size }]);
    }
  }

  largest(): readonly { readonly path: string; readonly bytes: number }[] {
    return largestOf([...this.#largest, ...[...this.#folders].map(([path, bytes]) => ({ path, bytes }))]);
  }
}

function largestOf<Sized extends { readonly bytes: number }>(items: Sized[]): Sized[] {
  return items.sort((left, right) => right.bytes - left.bytes).slice(0, LARGEST_SHOWN);
}

async function* failingAsEngineError(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* bytes;
  } catch (error) {
    throw readFailure(error);
  }
}

function readFailure(error: unknown): unknown {
  return error instanceof ContextReadError ? new EngineError('context-rejected', error.message, { cause: error }) : error;
}
