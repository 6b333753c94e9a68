import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Header } from 'tar-stream';
import type { IgnoreRules } from '../ignore-patterns.ts';
import { type ContextEntry, ContextReadError, type ContextSource, compareNames, type EntrySelection } from './context-entry.ts';
import { compileSelection, type LinkReader } from './path-selection.ts';

const CHUNK_BYTES = 64 * 1024;

export interface SpooledContext extends ContextSource {
  /** Removes the spool. Idempotent, never rejects. */
  dispose(): Promise<void>;
}

interface StoredEntry {
  readonly entry: ContextEntry;
  /** Where the content begins in the spool. */
  readonly offset: number;
}

/**
 * A tar of a directory as a build context. The engine asks for files in any order, so contents go into one private file
 * on disk and only the index stays in memory.
 */
export async function spoolContext(archive: Readable, rules: IgnoreRules): Promise<SpooledContext> {
  const path = join(tmpdir(), `slipway-context-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  // Without a name the file goes with the process, however that ends.
  await rm(path, { force: true });
  try {
    const entries = await storeEntries(archive, rules, file);
    return { ...spoolReader(entries, file), dispose: () => file.close().catch(() => undefined) };
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
}

async function storeEntries(archive: Readable, rules: IgnoreRules, file: FileHandle): Promise<Map<string, StoredEntry>> {
  const entries = new Map<string, StoredEntry>();
  let offset = 0;
  const failed = new Promise<Error>((resolve) => archive.on('error', resolve));
  const { extract } = await import('tar-stream');
  const extractor = extract();
  void failed.then((error) => extractor.destroy(error));
  archive.pipe(extractor);
  try {
    for await (const part of extractor) {
      const entry = toContextEntry(part.header);
      const start = offset;
      for await (const chunk of part as AsyncIterable<Uint8Array>) {
        if (entry === undefined || rules.ignores(entry.path)) continue;
        await file.write(chunk, 0, chunk.length, offset);
        offset += chunk.length;
      }
      if (entry !== undefined) entries.set(entry.path, { entry, offset: start });
    }
  } finally {
    archive.destroy();
  }
  return selectListed(entries, rules);
}

/** What the rules leave, with the directories on the way to it. */
function selectListed(entries: ReadonlyMap<string, StoredEntry>, rules: IgnoreRules): Map<string, StoredEntry> {
  const listed = new Map<string, StoredEntry>();
  for (const [path, stored] of entries) {
    if (rules.ignores(path)) continue;
    const { kind, linkname } = stored.entry;
    if (kind === 'file' && linkname !== undefined && rules.ignores(linkname)) {
      // The content came under the other name and was not kept.
      throw new ContextReadError(
        `the build context's ${path} is a hard link to ${linkname}, which .dockerignore excludes: exclude both or none`,
      );
    }
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const parent = path.slice(0, slash);
      const known = entries.get(parent);
      if (known !== undefined) listed.set(parent, known);
    }
    listed.set(path, stored);
  }
  return new Map([...listed].sort(([left], [right]) => comparePaths(left, right)));
}

function spoolReader(entries: ReadonlyMap<string, StoredEntry>, file: FileHandle): ContextSource {
  return {
    async *entries(selection: EntrySelection) {
      const paths = compileSelection(selection, spoolLinks(entries));
      for (const [path, { entry }] of entries) {
        if (!paths.selects(path) && !(entry.kind === 'directory' && paths.maySelectBelow(path))) continue;
        const target = entry.kind === 'file' && entry.linkname !== undefined ? entries.get(entry.linkname) : undefined;
        if (target === undefined || (paths.selects(target.entry.path) && comparePaths(target.entry.path, path) < 0)) yield entry;
        // The first name of a hard link is not in this listing: this one stands for the file.
        else yield { ...target.entry, path };
      }
    },
    async *read(entry) {
      const stored = entries.get(entry.path);
      const content = stored?.entry.linkname === undefined || entry.kind !== 'file' ? stored : entries.get(stored.entry.linkname);
      if (content === undefined) return;
      let left = content.entry.size;
      let position = content.offset;
      while (left > 0) {
        const { bytesRead, buffer } = await file.read(
          Buffer.allocUnsafe(Math.min(left, CHUNK_BYTES)),
          0,
          Math.min(left, CHUNK_BYTES),
          position,
        );
        if (bytesRead === 0) throw new ContextReadError(`the copy of the build context's ${entry.path} ended early`);
        yield buffer.subarray(0, bytesRead);
        left -= bytesRead;
        position += bytesRead;
      }
    },
  };
}

const KINDS: Readonly<Partial<Record<NonNullable<Header['type']>, ContextEntry['kind']>>> = {
  file: 'file',
  'contiguous-file': 'file',
  link: 'file',
  directory: 'directory',
  symlink: 'symlink',
  fifo: 'fifo',
  'block-device': 'block-device',
  'character-device': 'character-device',
};

function toContextEntry(header: Header): ContextEntry | undefined {
  const path = cleanName(header.name);
  const kind = header.type === undefined || header.type === null ? 'file' : KINDS[header.type];
  if (path === '' || kind === undefined) return undefined;
  const linkname =
    header.type === 'link' ? cleanName(header.linkname ?? '') : header.type === 'symlink' ? (header.linkname ?? '') : undefined;
  return {
    path,
    kind,
    mode: (header.mode ?? 0o644) & 0o7777,
    size: kind === 'file' && linkname === undefined ? (header.size ?? 0) : 0,
    mtimeNs: BigInt(header.mtime?.getTime() ?? 0) * 1_000_000n,
    ...(linkname === undefined ? {} : { linkname }),
    ...(kind === 'block-device' || kind === 'character-device'
      ? { deviceMajor: header.devmajor ?? 0, deviceMinor: header.devminor ?? 0 }
      : {}),
  };
}

/** Archives name their entries with or without a leading `./`; nothing may lead out of the context. */
function cleanName(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  return parts.includes('..') ? '' : parts.join('/');
}

function comparePaths(left: string, right: string): number {
  const leftParts = left.split('/');
  const rightParts = right.split('/');
  for (let index = 0; index < Math.min(leftParts.length, rightParts.length); index += 1) {
    const order = compareNames(leftParts[index] ?? '', rightParts[index] ?? '');
    if (order !== 0) return order;
  }
  return leftParts.length - rightParts.length;
}

function spoolLinks(entries: ReadonlyMap<string, StoredEntry>): LinkReader {
  return {
    linkAt: (path) => {
      const entry = entries.get(path)?.entry;
      return entry?.kind === 'symlink' ? entry.linkname : undefined;
    },
    namesIn: (directory) => {
      const prefix = directory === '' ? '' : `${directory}/`;
      return [...entries.keys()]
        .filter((path) => path.startsWith(prefix) && !path.includes('/', prefix.length))
        .map((path) => path.slice(prefix.length));
    },
  };
}
