import { lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../model/engine-error.ts';
import { fetchRef } from './fetch-ref.ts';
import { type GitCommand, GitFailure } from './git-command.ts';
import type { GitContext, TreeRequest } from './git-context.ts';
import { type GitUrl, maskCredentials, parseGitUrl } from './git-url.ts';
import { pullLargeFiles } from './large-files.ts';

/** Levels of nesting, and submodules on all levels together. */
const MAX_DEPTH = 8;
const MAX_SUBMODULES = 256;

/**
 * Completes a checked-out tree: large files, then its submodules, each fetched into a repository of its own at the commit
 * the tree names. `git submodule` is not used: it configures the parent from a file that strangers write.
 * Only https, or the scheme of the parent, and only checked URLs.
 */
export async function completeTree(request: TreeRequest, context: GitContext): Promise<void> {
  await complete(request, context, { depth: 0, budget: { left: MAX_SUBMODULES } });
}

/** For a tree that is to stay as it is. */
export async function tellWhatIsLeftOut({ git, onProgress }: Pick<TreeRequest, 'git' | 'onProgress'>): Promise<void> {
  const { gitlinks, hasAttributes } = await readIndex(git);
  const large = hasAttributes ? await git.run(['ls-files', '-z', '--', ':(attr:filter=lfs)']) : '';
  if (gitlinks.length > 0)
    onProgress?.('the submodules are left out: strangers could name any repository that the token of the task reads');
  if (large !== '') onProgress?.('the large files (Git LFS) are left out, for the same reason');
}

interface Level {
  readonly depth: number;
  readonly budget: { left: number };
}

async function complete(request: TreeRequest, context: GitContext, level: Level): Promise<void> {
  const index = await readIndex(request.git);
  if (index.hasAttributes) await pullLargeFiles(request, context);
  const wanted = index.gitlinks;
  if (wanted.length === 0) return;
  const urls = await submoduleUrls(request);
  for (const { path, commit } of wanted) {
    const text = urls.get(path);
    // A link without an entry names nothing to fetch; git leaves its directory empty too.
    if (text === undefined) continue;
    level.budget.left -= 1;
    if (level.budget.left < 0) throw new EngineError('context-rejected', `the repository has more than ${MAX_SUBMODULES} submodules`);
    if (level.depth >= MAX_DEPTH) throw new EngineError('context-rejected', `submodules are nested more than ${MAX_DEPTH} deep`);
    const url = submoduleUrl(text, request.parent, path, context);
    const directory = await makeSubmoduleDirectory(request.directory, path);
    const inner = { ...request, directory, url, ref: { kind: 'commit', id: commit } as const };
    const { git } = await fetchRef(inner, context);
    await complete({ ...request, directory, git, parent: url }, context, { ...level, depth: level.depth + 1 });
  }
}

interface Index {
  /** Entries with mode 160000. */
  readonly gitlinks: readonly { readonly path: string; readonly commit: string }[];
  readonly hasAttributes: boolean;
}

async function readIndex(git: GitCommand): Promise<Index> {
  const listing = await git.run(['ls-files', '--stage', '-z']);
  const gitlinks = [...listing.matchAll(/(?<=^|\0)160000 ([0-9a-f]{40,64}) 0\t([^\0]+)/g)].map(([, commit = '', path = '']) => ({
    commit,
    path,
  }));
  return { gitlinks, hasAttributes: /[\t/]\.gitattributes\0/.test(listing) };
}

async function submoduleUrls({ git, directory }: TreeRequest): Promise<ReadonlyMap<string, string>> {
  const file = await lstat(join(directory, '.gitmodules')).catch(() => undefined);
  if (file === undefined) return new Map();
  if (!file.isFile()) throw new EngineError('context-rejected', '.gitmodules is not a regular file');
  const listing = await git.run(['config', '--file', '.gitmodules', '--no-includes', '-z', '--list']).catch((error: unknown) => {
    if (!(error instanceof GitFailure)) throw error;
    throw new EngineError('context-rejected', `.gitmodules cannot be read: ${error.message}`, { cause: error });
  });
  const paths = new Map<string, string>();
  const urls = new Map<string, string>();
  for (const entry of listing.split('\0')) {
    const match = /^submodule\.(.+)\.(path|url)\n(.*)$/s.exec(entry);
    if (match !== null) (match[2] === 'path' ? paths : urls).set(match[1] ?? '', match[3] ?? '');
  }
  return new Map([...paths].flatMap(([name, path]) => (urls.has(name) ? [[path, urls.get(name) ?? '']] : [])));
}

function submoduleUrl(text: string, parent: GitUrl, path: string, context: GitContext): GitUrl {
  const reject = (reason: string): EngineError =>
    new EngineError(
      'context-rejected',
      `the URL ${JSON.stringify(maskCredentials(text).slice(0, 200))} of submodule ${JSON.stringify(path)} is not allowed: ${reason}`,
    );
  const relative = /^\.\.?\//.test(text);
  const absolute = relative ? resolveRelative(text, parent.remote) : text;
  if (absolute === undefined) throw reject('it leads above the root of its server');
  const parsed = parseGitUrl(absolute, { allowFile: context.allowFile && parent.scheme === 'file' });
  if (!parsed.ok) throw reject(parsed.error);
  if (parsed.value.scheme !== 'https' && parsed.value.scheme !== parent.scheme)
    throw reject(`only https${parent.scheme === 'https' ? '' : ` and ${parent.scheme}`} may be used here`);
  if (parsed.value.credentials !== undefined) throw reject('it carries credentials');
  // The parent's token serves its own server only.
  const sameServer = parsed.value.host === parent.host && parsed.value.port === parent.port && parsed.value.scheme === parent.scheme;
  return sameServer && parent.credentials !== undefined ? { ...parsed.value, credentials: parent.credentials } : parsed.value;
}

/** git's rule: each `../` takes one component off the parent's URL, which counts as a directory. */
function resolveRelative(text: string, parent: string): string | undefined {
  const root = /^(?:[a-z]+:\/\/[^/]+|[^:/]+:)/i.exec(parent)?.[0] ?? '';
  let base = parent.slice(root.length).replace(/\/+$/, '');
  let rest = text;
  for (let step = /^\.(\.?)\//.exec(rest); step !== null; step = /^\.(\.?)\//.exec(rest)) {
    rest = rest.slice(step[0].length);
    if (step[1] !== '.') continue;
    if (base === '') return undefined;
    base = base.slice(0, Math.max(base.lastIndexOf('/'), 0));
  }
  return base === '' && !root.includes('//') ? `${root}${rest}` : `${root}${base}/${rest}`;
}

/** Makes the directory below `root`, refusing to pass through anything but real directories. */
async function makeSubmoduleDirectory(root: string, path: string): Promise<string> {
  const components = path.split('/');
  const malformed = components.some(
    (name) => name === '' || name === '.' || name === '..' || name.toLowerCase() === '.git' || name.startsWith('-'),
  );
  if (malformed || /[\p{Cc}\\]/u.test(path))
    throw new EngineError('context-rejected', `the submodule path ${JSON.stringify(path)} is not allowed`);
  let directory = root;
  for (const name of components) {
    directory = join(directory, name);
    await mkdir(directory).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    });
    if (!(await lstat(directory)).isDirectory()) {
      throw new EngineError('context-rejected', `the submodule path ${JSON.stringify(path)} leads through something that is no directory`);
    }
  }
  return directory;
}
