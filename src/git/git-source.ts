import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../model/engine-error.ts';
import type { GitCheckout, GitCheckoutRequest, GitSource } from '../model/ports/git-source.ts';
import type { AddressPolicy } from '../util/address-policy.ts';
import { createHttpClient } from '../util/http.ts';
import { fetchRef } from './fetch-ref.ts';
import { createGitCommand, GitFailure } from './git-command.ts';
import type { GitContext } from './git-context.ts';
import { maskCredentials, parseGitUrl } from './git-url.ts';
import { checkGitVersion } from './git-version.ts';
import { completeTree } from './submodules.ts';
import { type GitRef, parseGitRef } from './validate-ref.ts';

export interface GitSourceOptions {
  readonly addresses: AddressPolicy;
  /** Allow `file://` and absolute paths as remotes. Off: another repository's configuration is not ours to trust. */
  readonly allowFile?: boolean;
  /** By default the environment of this process; git sees only a few names of it (git-command.ts). */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** GitSource over the machine's git (2.31 or newer). Hooks, filters, helpers and prompts are off; see git-command.ts. */
export function createGitSource(options: GitSourceOptions): GitSource {
  const context: GitContext = {
    http: createHttpClient({ addresses: options.addresses, environment: options.environment ?? process.env }),
    addresses: options.addresses,
    allowFile: options.allowFile ?? false,
    environment: options.environment ?? process.env,
  };
  let version: Promise<void> | undefined;
  const ready = (): Promise<void> => {
    version ??= checkGitVersion(context.environment).catch((error: unknown) => {
      version = undefined;
      throw error;
    });
    return version;
  };
  return {
    checkout: async (request) => {
      const ref = parseGitRef(request.ref);
      if (!ref.ok) throw new EngineError('context-rejected', `cannot use the git ref ${quote(request.ref)}: ${ref.error}`);
      await ready();
      return checkoutOrClean(request, ref.value, context);
    },
    describe: (directory) => describe(directory, context),
  };
}

async function checkoutOrClean(request: GitCheckoutRequest, ref: GitRef, context: GitContext): Promise<GitCheckout> {
  const url = parseGitUrl(request.url, context);
  if (!url.ok) throw new EngineError('context-rejected', `cannot use the git URL ${quote(maskCredentials(request.url))}: ${url.error}`);
  if ((await readdir(request.directory)).length > 0)
    throw new EngineError('internal', `the directory of a git checkout is not empty: ${request.directory}`);
  try {
    const checkout = await fetchRef({ ...request, url: url.value, ref }, context);
    await completeTree({ parent: url.value, git: checkout.git, ...request }, context);
    return { commit: checkout.commit, branch: checkout.branch };
  } catch (error) {
    await emptyDirectory(request.directory);
    if (!(error instanceof GitFailure)) throw error;
    throw new EngineError('context-failed', `cannot check out ${url.value.remote}: ${error.message}`, { cause: error });
  }
}

async function emptyDirectory(directory: string): Promise<void> {
  for (const entry of await readdir(directory)) await rm(join(directory, entry), { recursive: true, force: true });
}

async function describe(directory: string, context: GitContext): ReturnType<GitSource['describe']> {
  // The person running this may not own the directory; what is read here starts no program of the repository's choosing.
  const config = [['safe.directory', '*']] as const;
  try {
    const git = await createGitCommand({ directory, protocols: [], config, environment: context.environment });
    const ask = (...args: string[]): Promise<string> =>
      git.run(args).then(
        (answer) => answer.trim(),
        () => '',
      );
    const commit = (await git.run(['rev-parse', '--verify', '--quiet', '--end-of-options', 'HEAD^{commit}'])).trim();
    const branch = await ask('symbolic-ref', '--quiet', '--short', 'HEAD');
    const remote = maskCredentials(await ask('config', '--get', 'remote.origin.url'));
    return { commit, branch, remote };
  } catch {
    return undefined;
  }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
