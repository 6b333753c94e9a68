import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { maskCredentials } from './git-url.ts';
import { parseGitRef } from './validate-ref.ts';

export interface WorkTree {
  readonly commit: string;
  /** Empty when HEAD is detached. */
  readonly branch: string;
  /** URL of `origin` without credentials; empty when there is none. */
  readonly remote: string;
}

const MAX_FILE = 64 * 1024 * 1024;
const OBJECT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * Reads HEAD, its branch and the remote from git's own files: every `task run` asks, and starting git would cost it 100 ms.
 * Nothing of the repository is run. `unknown` when the repository keeps its refs in a way that only git can read.
 */
export async function describeWorkTree(directory: string): Promise<WorkTree | 'unknown' | undefined> {
  const folder = await findGitFolder(resolve(directory));
  if (folder === undefined) return undefined;
  const common = resolve(folder, ((await text(join(folder, 'commondir'))) ?? '.').trim());
  const head = ((await text(join(folder, 'HEAD'))) ?? '').trim();
  if (head === 'ref: refs/heads/.invalid') return 'unknown';
  const target = /^ref: (.+)$/.exec(head)?.[1];
  const commit = target === undefined ? head : await resolveRef(target, { folder, common });
  if (commit === undefined || !OBJECT_ID.test(commit)) return undefined;
  const branch = target?.startsWith('refs/heads/') === true ? target.slice('refs/heads/'.length) : '';
  return { commit, branch, remote: maskCredentials(originUrl((await text(join(common, 'config'))) ?? '')) };
}

/** `.git` of the directory or one above it: a folder, or a file that names one (linked work trees, submodules). */
async function findGitFolder(directory: string): Promise<string | undefined> {
  for (let current = directory; ; current = dirname(current)) {
    const path = join(current, '.git');
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory() === true) return path;
    const named = found?.isFile() === true ? /^gitdir: (.+)$/m.exec((await text(path)) ?? '')?.[1] : undefined;
    if (named !== undefined) return resolve(current, named.trim());
    if (dirname(current) === current) return undefined;
  }
}

async function resolveRef(name: string, places: { readonly folder: string; readonly common: string }): Promise<string | undefined> {
  // A name is a path here, and strangers write it.
  const parsed = parseGitRef(name);
  if (!parsed.ok || parsed.value.kind !== 'ref') return undefined;
  for (const place of [places.folder, places.common]) {
    const loose = (await text(join(place, name)))?.trim();
    if (loose !== undefined && OBJECT_ID.test(loose)) return loose;
  }
  const packed = (await text(join(places.common, 'packed-refs'))) ?? '';
  return packed
    .split('\n')
    .find((line) => line.endsWith(` ${name}`))
    ?.split(' ')[0];
}

/** The last `url` of the section `[remote "origin"]`; files it includes are not read. */
function originUrl(config: string): string {
  let inside = false;
  let url = '';
  for (const line of config.split(/\r?\n/)) {
    if (/^\s*\[/.test(line)) inside = /^\s*\[\s*remote\s+"origin"\s*\]/i.test(line);
    const value = inside ? /^\s*url\s*=\s*(?:"([^"]*)"|([^#;]*))/i.exec(line) : null;
    if (value !== null) url = (value[1] ?? value[2] ?? '').trim();
  }
  return url;
}

async function text(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true && found.size <= MAX_FILE ? readFile(path, 'utf8').catch(() => undefined) : undefined;
}
