import type { GitSource } from '../model/ports/git-source.ts';
import type { AddressPolicy } from '../util/address-policy.ts';
import { describeWorkTree } from './describe-work-tree.ts';
import { maskCredentials } from './git-url.ts';
import type { HistoryCaches } from './history-cache.ts';
import type { RemoteOperations } from './remote-operations.ts';

export interface GitSourceOptions {
  readonly addresses: AddressPolicy;
  /** Allow `file://` and absolute paths as remotes. Off: another repository's configuration is not ours to trust. */
  readonly allowFile?: boolean;
  /** By default the environment of this process; git sees only a few names of it (git-command.ts). */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** A GitSource whose histories (GitSource.changes) can be pruned. */
export interface PrunableGitSource extends GitSource {
  /**
   * Removes histories below `root` of remotes that are not needed. None while one is in use: it ends then, before `limit` too. Resolves with how
   * many it removed.
   */
  readonly pruneHistory: HistoryCaches['prune'];
}

/** GitSource over the machine's git (2.31 or newer). Hooks, filters, helpers and prompts are off; see git-command.ts. */
export function createGitSource(options: GitSourceOptions): PrunableGitSource {
  const environment = options.environment ?? process.env;
  let remote: Promise<RemoteOperations> | undefined;
  const open = (): Promise<RemoteOperations> => {
    // Loaded when first needed: most runs only ask what their own directory is.
    remote ??= import('./remote-operations.ts').then(({ createRemoteOperations }) =>
      createRemoteOperations({ addresses: options.addresses, allowFile: options.allowFile ?? false, environment }),
    );
    return remote;
  };
  return {
    checkout: async (request) => (await open()).checkout(request),
    listRefs: async (request) => (await open()).listRefs(request),
    changes: async (request) => (await open()).changes(request),
    pruneHistory: async (root, prune) => (await open()).pruneHistory(root, prune),
    describe: async (directory) => {
      const found = await describeWorkTree(directory);
      return found === 'unknown' ? askGit(directory, environment) : found;
    },
  };
}

async function askGit(directory: string, environment: Readonly<Record<string, string | undefined>>): ReturnType<GitSource['describe']> {
  // The person running this may not own the directory; what is read here starts no program of the repository's choosing.
  const config = [['safe.directory', '*']] as const;
  const { createGitCommand } = await import('./git-command.ts');
  try {
    const git = await createGitCommand({ directory, protocols: [], config, environment });
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
