import { lstat, readlink, realpath } from 'node:fs/promises';
import { join, posix, sep } from 'node:path';

/** More symbolic links than this on one path are a loop. */
const MOST_LINKS = 40;

/**
 * The place of `path` below `root`, symbolic links followed as if `root` were `/`, so that no link leads outside.
 * Undefined when the path itself climbs out with `..`, or loops. What does not exist is not looked into.
 */
export async function resolveBelow(root: string, path: string): Promise<string | undefined> {
  const cleaned = posix.normalize(path.replace(/^\/+/, ''));
  if (cleaned === '..' || cleaned.startsWith('../')) return undefined;
  const open = cleaned.split('/').reverse();
  const done: string[] = [];
  let links = 0;
  for (let segment = open.pop(); segment !== undefined; segment = open.pop()) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') {
      done.pop();
      continue;
    }
    const target = await linkTarget(join(root, ...done, segment));
    if (target === undefined) {
      done.push(segment);
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) return undefined;
    if (target.startsWith('/')) done.length = 0;
    open.push(...target.split('/').reverse());
  }
  return join(root, ...done);
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch {
    return undefined;
  }
}

/** The real place of `path` below `root`, or undefined when a link or `..` leads out of it. What does not exist is left as it is. */
export async function realPathBelow(root: string, path: string): Promise<string | undefined> {
  const realRoot = await realpath(root);
  const wanted = join(realRoot, path);
  const real = await realpath(wanted).catch(() => wanted);
  return real === realRoot || real.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep) ? real : undefined;
}
