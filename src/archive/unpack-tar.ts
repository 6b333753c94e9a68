import { link, lstat, mkdir, open, readdir, readlink, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import type { Header } from 'tar-stream';
import { EngineError } from '../model/engine-error.ts';
import { EntryTree, rejected } from './entry-tree.ts';
import type { ArchiveLimits } from './limits.ts';

type Entry = ReturnType<typeof import('tar-stream').extract> extends AsyncIterable<infer T> ? T : never;

const KINDS: readonly string[] = ['file', 'contiguous-file', 'directory', 'symlink', 'link'];

/**
 * Unpacks an uncompressed tar into a directory that nobody else writes to: empty, or left by earlier archives. Files and directories get their
 * permission bits (set-id and sticky bits dropped, readable and writable for us), their owner is this user. Refused: names
 * and links that lead out, devices, pipes, sparse and unknown entries. Throws EngineError `context-rejected`, and plain
 * errors for damaged data.
 */
export async function unpackTar(
  source: AsyncIterable<Uint8Array>,
  directory: string,
  limits: ArchiveLimits,
  signal: AbortSignal,
): Promise<void> {
  const tree = new EntryTree(limits, await ignoresCase(directory));
  await addPresent(tree, directory);
  const { extract } = await import('tar-stream');
  const parser = extract();
  const input = Readable.from(source, { objectMode: false });
  let sourceError: unknown;
  input.on('error', (error) => {
    sourceError = error;
    parser.destroy(error);
  });
  const stop = (): void => parser.destroy(new Error('cancelled'));
  signal.addEventListener('abort', stop, { once: true });
  input.pipe(parser);
  let entries = 0;
  try {
    for await (const entry of parser) {
      entries += 1;
      if (entries > limits.maxEntries) throw new EngineError('context-rejected', `the archive has more than ${limits.maxEntries} entries`);
      await unpackEntry(entry, directory, tree);
      entry.resume();
    }
    tree.checkLinks();
  } catch (error) {
    // A reader in the middle of an entry sees only that the stream was closed.
    throw sourceError ?? error;
  } finally {
    signal.removeEventListener('abort', stop);
    input.unpipe(parser);
    input.destroy();
  }
}

async function unpackEntry(entry: Entry, directory: string, tree: EntryTree): Promise<void> {
  const { header } = entry;
  const components = tree.components(header.name);
  const type = checkedKind(header);
  if (components.length === 0) {
    if (type === 'directory') return;
    throw rejected(header.name, 'it would replace the root');
  }
  for (const parent of tree.missingParents(components)) {
    tree.add(parent, { kind: 'directory' });
    await mkdir(join(directory, parent), 0o755);
  }
  const name = components.join('/');
  const path = join(directory, name);
  const linkname = (header.linkname as string | null) ?? '';
  if (type === 'directory') return unpackDirectory(path, name, header.mode, tree);
  await makeRoom(path, name, tree);
  if (type === 'symlink') return unpackSymlink(path, name, linkname, tree);
  if (type === 'link') return unpackHardLink(directory, name, linkname, tree);
  tree.add(name, { kind: 'file' });
  await unpackFile(entry, path, header.mode);
}

function checkedKind(header: Header): string {
  // Null for kinds that tar-stream does not know, GNU's sparse files among them.
  const type: string | null = header.type;
  const sparse = Object.keys(header.pax ?? {}).some((key) => key.startsWith('GNU.sparse'));
  if (sparse) throw rejected(header.name, 'sparse files are not supported');
  if (type !== null && KINDS.includes(type)) return type;
  throw rejected(header.name, type === null ? 'it is of an unknown kind' : `it is a ${type.replace('-', ' ')}`);
}

async function unpackSymlink(path: string, name: string, target: string, tree: EntryTree): Promise<void> {
  if (target === '' || target.includes('\0') || Buffer.byteLength(target) > 4096) throw rejected(name, 'its link target is malformed');
  tree.add(name, { kind: 'symlink', target });
  await symlink(target, path);
}

async function unpackHardLink(directory: string, name: string, linkname: string, tree: EntryTree): Promise<void> {
  const components = tree.components(linkname);
  const target = components.join('/');
  if (target === name || tree.kindOf(target) !== 'file')
    throw rejected(name, 'it is a hard link to something that is no earlier file of the archive');
  tree.add(name, { kind: 'file' });
  await link(join(directory, target), join(directory, name));
}

async function unpackDirectory(path: string, name: string, mode: number, tree: EntryTree): Promise<void> {
  const present = tree.kindOf(name);
  if (present !== undefined && present !== 'directory') throw rejected(name, 'it would replace a file or link by a directory');
  tree.add(name, { kind: 'directory' });
  // Made writable for us, so that what it holds can be unpacked and removed.
  if (present === undefined) await mkdir(path, (mode & 0o777) | 0o700);
}

/** A later entry of the same name replaces the earlier one; a link is removed, never followed. */
async function makeRoom(path: string, name: string, tree: EntryTree): Promise<void> {
  const present = tree.kindOf(name);
  if (present === 'directory') throw rejected(name, 'it would replace a directory');
  if (present !== undefined) await unlink(path);
}

async function unpackFile(entry: Entry, path: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', (mode & 0o777) | 0o600);
  try {
    for await (const chunk of entry as AsyncIterable<Uint8Array>) await file.writeFile(chunk);
    const { mtime } = entry.header;
    if (Number.isFinite(mtime.getTime())) await file.utimes(mtime, mtime);
  } finally {
    await file.close();
  }
}

/** What earlier archives left, such as the layers of one artifact, counts as if this one had brought it. */
async function addPresent(tree: EntryTree, directory: string): Promise<void> {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(directory, path);
    if (entry.isSymbolicLink()) tree.add(name, { kind: 'symlink', target: await readlink(path) });
    else tree.add(name, { kind: entry.isDirectory() ? 'directory' : 'file' });
  }
}

async function ignoresCase(directory: string): Promise<boolean> {
  const probe = join(directory, '.slipway-Case');
  await writeFile(probe, '');
  try {
    return await lstat(join(directory, '.slipway-cASE')).then(
      () => true,
      () => false,
    );
  } finally {
    await rm(probe);
  }
}
