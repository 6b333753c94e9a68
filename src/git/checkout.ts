import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../model/engine-error.ts';
import type { GitCheckout, GitCheckoutRequest } from '../model/ports/git-source.ts';
import { fetchRef } from './fetch-ref.ts';
import { GitFailure } from './git-command.ts';
import type { GitContext } from './git-context.ts';
import { quote, remoteUrl } from './open-remote.ts';
import { completeTree, tellWhatIsLeftOut } from './submodules.ts';
import { type GitRef, parseGitRef } from './validate-ref.ts';

/** GitSource.checkout. */
export async function checkout(request: GitCheckoutRequest, context: GitContext): Promise<GitCheckout> {
  const ref = checkedRef(request.ref);
  const through = request.throughRef === undefined ? undefined : checkedRef(request.throughRef);
  const remote = remoteUrl(request, context);
  if ((await readdir(request.directory)).length > 0)
    throw new EngineError('internal', `the directory of a git checkout is not empty: ${request.directory}`);
  try {
    const fetched = await fetchRef({ ...request, url: remote, ref, ...(through === undefined ? {} : { through }) }, context);
    const tree = { parent: remote, git: fetched.git, ...request };
    await (request.ownTreeOnly === true ? tellWhatIsLeftOut(tree) : completeTree(tree, context));
    return { commit: fetched.commit, branch: fetched.branch };
  } catch (error) {
    await emptyDirectory(request.directory);
    if (!(error instanceof GitFailure)) throw error;
    throw new EngineError('context-failed', `cannot check out ${remote.remote}: ${error.message}`, { cause: error });
  }
}

function checkedRef(text: string): GitRef {
  const ref = parseGitRef(text);
  if (!ref.ok) throw new EngineError('context-rejected', `cannot use the git ref ${quote(text)}: ${ref.error}`);
  return ref.value;
}

async function emptyDirectory(directory: string): Promise<void> {
  for (const entry of await readdir(directory)) await rm(join(directory, entry), { recursive: true, force: true });
}
