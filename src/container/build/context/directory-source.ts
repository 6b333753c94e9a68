import { type BigIntStats, closeSync, constants, lstatSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { IgnoreRules, PathMatch } from '../ignore-patterns.ts';
import { type ContextEntry, ContextReadError, type ContextSource, compareNames, type EntrySelection } from './context-entry.ts';
import { compileSelection, type LinkReader, type PathSelection } from './path-selection.ts';

const CHUNK_BYTES = 64 * 1024;

/**
 * A directory of this machine as a build context. Ignored directories are not opened unless a `!` pattern may let
 * something below them in again; symbolic links stay links; sockets are left out.
 */
export function directorySource(root: string, rules: IgnoreRules): ContextSource {
  return {
    entries: (selection) => walk(root, rules, selection),
    read: (entry) =>
      entry.size <= CHUNK_BYTES ? readSmallFile(join(root, entry.path), entry.path) : readFileChunks(join(root, entry.path), entry.path),
  };
}

interface Walk {
  readonly root: string;
  readonly rules: IgnoreRules;
  readonly selection: PathSelection;
  /** First path of every file that has several, by device and inode. */
  readonly firstLinks: Map<string, string>;
}

async function* walk(root: string, rules: IgnoreRules, selection: EntrySelection): AsyncGenerator<ContextEntry> {
  const state: Walk = { root, rules, selection: compileSelection(selection, directoryLinks(root)), firstLinks: new Map() };
  yield* walkDirectory(state, '', undefined, []);
}

/** `pending` are directories above that are only listed because of what is found below them. */
async function* walkDirectory(
  state: Walk,
  directory: string,
  match: PathMatch | undefined,
  pending: ContextEntry[],
): AsyncGenerator<ContextEntry> {
  for (const name of await sortedNames(state.root, directory)) {
    const path = directory === '' ? name : `${directory}/${name}`;
    const result = state.rules.match(path, match);
    const wanted = !result.ignored && state.selection.selects(path);
    const walkBelow =
      (!result.ignored || state.rules.mayReincludeBelow(path)) && (state.selection.selects(path) || state.selection.maySelectBelow(path));
    if (!wanted && !walkBelow) continue;
    const entry = readEntry(state, path, wanted);
    if (entry === undefined) continue;
    if (wanted) yield* pending.splice(0);
    if (entry.kind !== 'directory') {
      if (wanted) yield entry;
    } else if (wanted) {
      yield entry;
      if (walkBelow) yield* walkDirectory(state, path, result, []);
    } else {
      const waiting = [...pending, entry];
      const before = waiting.length;
      yield* walkDirectory(state, path, result, waiting);
      if (waiting.length < before) pending.length = 0;
    }
  }
}

async function sortedNames(root: string, directory: string): Promise<string[]> {
  try {
    const names = await readdir(join(root, directory));
    return names.sort(compareNames);
  } catch (error) {
    throw unreadable(directory === '' ? '.' : directory, error);
  }
}

function readEntry(state: Walk, path: string, listed: boolean): ContextEntry | undefined {
  const absolute = join(state.root, path);
  let stats: BigIntStats | undefined;
  try {
    stats = lstatSync(absolute, { bigint: true, throwIfNoEntry: false });
    // What vanished between listing and looking is not in the context any more.
    if (stats === undefined || stats.isSocket()) return undefined;
    const common = { path, mode: Number(stats.mode & 0o7777n), size: 0, mtimeNs: stats.mtimeNs };
    if (stats.isFile()) return fileEntry(state, stats, common, listed);
    if (stats.isDirectory()) return { ...common, kind: 'directory' };
    if (stats.isSymbolicLink()) return { ...common, kind: 'symlink', mode: 0o777, linkname: readlinkSync(absolute) };
    if (stats.isFIFO()) return { ...common, kind: 'fifo' };
    return { ...common, kind: stats.isBlockDevice() ? 'block-device' : 'character-device', ...deviceNumbers(stats.rdev) };
  } catch (error) {
    throw unreadable(path, error);
  }
}

function fileEntry(state: Walk, stats: BigIntStats, common: Omit<ContextEntry, 'kind'>, listed: boolean): ContextEntry {
  if (stats.nlink > 1n && listed) {
    const key = `${stats.dev}:${stats.ino}`;
    const first = state.firstLinks.get(key);
    if (first !== undefined) return { ...common, kind: 'file', linkname: first };
    state.firstLinks.set(key, common.path);
  }
  return { ...common, kind: 'file', size: Number(stats.size) };
}

/** Linux's encoding of a device number. */
function deviceNumbers(device: bigint): { readonly deviceMajor: number; readonly deviceMinor: number } {
  return {
    deviceMajor: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
    deviceMinor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
  };
}

/** O_NOFOLLOW and O_NONBLOCK: what was a file when it was listed must not become a link or a pipe meanwhile. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A small file costs less to read at once than to wait for three times. */
async function* readSmallFile(absolute: string, path: string): AsyncGenerator<Uint8Array> {
  let content: Uint8Array;
  try {
    const file = openSync(absolute, READ_FLAGS);
    try {
      content = readFileSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw unreadable(path, error);
  }
  yield content;
}

async function* readFileChunks(absolute: string, path: string): AsyncGenerator<Uint8Array> {
  const handle = await open(absolute, READ_FLAGS).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    while (true) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    await handle.close();
  }
}

function directoryLinks(root: string): LinkReader {
  return {
    linkAt: (path) => {
      try {
        return readlinkSync(join(root, path));
      } catch {
        return undefined;
      }
    },
    namesIn: (directory) => {
      try {
        return readdirSync(join(root, directory));
      } catch {
        return [];
      }
    },
  };
}

function unreadable(path: string, cause: unknown): ContextReadError {
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  return new ContextReadError(`the build context's ${path} cannot be read (${reason}): make it readable or add it to .dockerignore`, {
    cause,
  });
}
