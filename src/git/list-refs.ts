import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '../model/engine-error.ts';
import type { GitRemoteRequest, RemoteRefs } from '../model/ports/git-source.ts';
import { GitFailure } from './git-command.ts';
import type { GitContext } from './git-context.ts';
import { openRemote, quote, remoteError, remoteUrl } from './open-remote.ts';
import { parseGitRef } from './validate-ref.ts';

const MAX_REFS = 200_000;
/** Of what git says: that many refs with long names, half of them tags that are peeled. */
const MAX_OUTPUT = 64 * 1024 * 1024;
const MAX_PATTERNS = 1000;

/** Branches, tags, and what forges call the heads of pull requests. */
const LISTED = /^refs\/(?:heads\/|tags\/|(?:pull|pull-requests|merge-requests)\/\d{1,12}\/(?:head|from)$)/;

/** GitSource.listRefs: `git ls-remote`, outside any repository. */
export async function listRefs(
  request: GitRemoteRequest & { readonly patterns?: readonly string[] },
  context: GitContext,
): Promise<RemoteRefs> {
  const patterns = checkedPatterns(request.patterns ?? []);
  const url = remoteUrl(request, context);
  const directory = await mkdtemp(join(tmpdir(), 'slipway-refs-'));
  try {
    const { git, remote } = await openRemote(url, { directory, signal: request.signal, isolated: true, maxOutput: MAX_OUTPUT }, context);
    return readRefs(await git.run(['ls-remote', '--symref', '--', remote.remote, ...patterns]), url.remote);
  } catch (error) {
    throw error instanceof GitFailure ? remoteError(error, url, 'list the refs of') : error;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A star stands for what a name may hold; everything else of a pattern has to be a name. */
function checkedPatterns(patterns: readonly string[]): readonly string[] {
  if (patterns.length > MAX_PATTERNS) throw new EngineError('context-rejected', `more than ${MAX_PATTERNS} patterns of refs`);
  for (const pattern of patterns) {
    const parsed = parseGitRef(pattern.replaceAll('*', 'x'));
    if (parsed.ok && parsed.value.kind === 'ref') continue;
    const reason = parsed.ok ? 'it has to begin with "refs/"' : parsed.error;
    throw new EngineError('context-rejected', `cannot use the pattern of refs ${quote(pattern)}: ${reason}`);
  }
  return patterns.length === 0 ? [] : ['HEAD', ...patterns];
}

/** Lines `ID\tNAME`, `ID\tNAME^{}` (the commit of the annotated tag above) and `ref: NAME\tHEAD`. Names that break our rules are left out. */
function readRefs(text: string, where: string): RemoteRefs {
  const refs = new Map<string, string>();
  const tagObjects = new Map<string, string>();
  let head: string | undefined;
  for (const [, id = '', symbolic = '', name = ''] of text.matchAll(/^(?:([0-9a-f]{40,64})|ref: (\S+))\t(\S+)$/gm)) {
    if (symbolic !== '') {
      if (name === 'HEAD' && isRef(symbolic)) head = symbolic;
      continue;
    }
    const isPeeled = name.endsWith('^{}');
    const bare = isPeeled ? name.slice(0, -3) : name;
    if (!LISTED.test(bare) || !isRef(bare)) continue;
    const object = refs.get(bare);
    if (isPeeled && object !== undefined) tagObjects.set(bare, object);
    refs.set(bare, id);
    if (refs.size > MAX_REFS) throw new EngineError('context-rejected', `${where} has more than ${MAX_REFS} refs`);
  }
  return { ...(head === undefined ? {} : { head }), refs, tagObjects };
}

function isRef(name: string): boolean {
  const parsed = parseGitRef(name);
  return parsed.ok && parsed.value.kind === 'ref';
}
