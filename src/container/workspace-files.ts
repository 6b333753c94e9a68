import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { EngineError } from '../model/engine-error.ts';
import { type EngineApi, isRefusal, toEngineError } from './engine-api.ts';
import { HOME_PATH, WORKSPACE_PATH } from './run-volumes.ts';
import { packEntries } from './tar.ts';

const LARGEST_FILE = 64 * 1024 * 1024;
const MOST_LINKS = 16;

/**
 * Reads one file through a container that has the volumes; undefined when there is none, or it is no file.
 * The engine resolves links in the path inside the container, never on its own machine; a link at the end of the path
 * comes back as a link and is followed here, again inside the container.
 */
export async function readVolumeFile(api: EngineApi, door: string, path: string): Promise<Uint8Array | undefined> {
  let current = posix.normalize(path);
  for (let links = 0; links <= MOST_LINKS; links += 1) {
    if (!isInVolumes(current)) return undefined;
    const archive = await openArchive(api, door, current);
    if (archive === undefined) return undefined;
    const found = await firstEntry(archive, path);
    if (found === undefined || 'content' in found) return found?.content;
    current = posix.resolve(posix.dirname(current), found.link);
  }
  return undefined;
}

/** The content of a directory as a tar stream whose entries are relative to it; undefined when there is none. */
export async function readVolumeDirectory(api: EngineApi, door: string, path: string): Promise<Readable | undefined> {
  const directory = posix.normalize(path);
  return isInVolumes(directory) ? await openArchive(api, door, posix.join(directory, '/').concat('.')) : undefined;
}

/** Unpacks a tar into a directory of the volumes, making it when missing. */
export async function writeVolumeDirectory(api: EngineApi, door: string, path: string, tar: Readable): Promise<void> {
  const directory = posix.normalize(path);
  const root = [WORKSPACE_PATH, HOME_PATH].find((candidate) => directory === candidate || directory.startsWith(`${candidate}/`));
  if (root === undefined) {
    tar.destroy();
    throw new EngineError('context-rejected', `${path} is outside ${WORKSPACE_PATH}; a build writes into the workspace only.`);
  }
  const parents = directory
    .slice(root.length + 1)
    .split('/')
    .filter((part) => part !== '')
    .map((_, index, parts) => ({ path: parts.slice(0, index + 1).join('/'), mode: 0o755 }));
  try {
    const put = (query: { readonly path: string }, file: Buffer | Readable): Promise<unknown> =>
      api.json({ method: 'PUT', path: `/containers/${door}/archive`, query, file });
    if (parents.length > 0) await put({ path: root }, await packEntries(parents));
    await put({ path: directory }, tar);
  } catch (error) {
    tar.destroy();
    throw toEngineError(error, `Writing ${path} into the workspace`);
  }
}

function isInVolumes(path: string): boolean {
  return [WORKSPACE_PATH, HOME_PATH].some((root) => path === root || path.startsWith(`${root}/`));
}

async function openArchive(api: EngineApi, door: string, path: string): Promise<Readable | undefined> {
  try {
    return await api.stream({ method: 'GET', path: `/containers/${door}/archive`, query: { path } });
  } catch (error) {
    // Links in a circle are answered with 500.
    if (isRefusal(error, 404) || (isRefusal(error, 500) && /too many (links|levels)/i.test(error.message))) return undefined;
    throw toEngineError(error, `Reading ${path} from the workspace`);
  }
}

type Found = { readonly content: Uint8Array } | { readonly link: string };

async function firstEntry(archive: Readable, path: string): Promise<Found | undefined> {
  const { extract } = await import('tar-stream');
  const entries = extract();
  archive.on('error', (error) => entries.destroy(error));
  archive.pipe(entries);
  try {
    for await (const entry of entries) {
      const { type, linkname, size = 0 } = entry.header;
      if (type === 'symlink' && typeof linkname === 'string') return { link: linkname };
      if (type !== 'file') return undefined;
      if (size > LARGEST_FILE) {
        throw new EngineError('context-rejected', `${path} in the workspace has ${size} bytes; at most ${LARGEST_FILE} are read.`);
      }
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      return { content: Buffer.concat(chunks) };
    }
    return undefined;
  } finally {
    archive.destroy();
  }
}
