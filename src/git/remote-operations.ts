import type { GitSource } from '../model/ports/git-source.ts';
import type { AddressPolicy } from '../util/address-policy.ts';
import { createHttpClient } from '../util/http.ts';
import { createChanges } from './changes.ts';
import { checkout } from './checkout.ts';
import type { GitContext } from './git-context.ts';
import { checkGitVersion } from './git-version.ts';
import { createHistoryCaches, type HistoryCaches } from './history-cache.ts';
import { listRefs } from './list-refs.ts';

export interface RemoteOptions {
  readonly addresses: AddressPolicy;
  readonly allowFile: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What of GitSource speaks to remotes. */
export type RemoteOperations = Pick<GitSource, 'checkout' | 'listRefs' | 'changes'> & { readonly pruneHistory: HistoryCaches['prune'] };

/** git's version is looked at once. */
export function createRemoteOperations(options: RemoteOptions): RemoteOperations {
  const context: GitContext = { ...options, http: createHttpClient({ addresses: options.addresses, environment: options.environment }) };
  const caches = createHistoryCaches(context.environment);
  const changes = createChanges(context, caches);
  let version: Promise<void> | undefined;
  const ready = (): Promise<void> => {
    version ??= checkGitVersion(context.environment).catch((error: unknown) => {
      version = undefined;
      throw error;
    });
    return version;
  };
  return {
    checkout: (request) => ready().then(() => checkout(request, context)),
    listRefs: (request) => ready().then(() => listRefs(request, context)),
    changes: (request) => ready().then(() => changes(request)),
    pruneHistory: (root, prune) => caches.prune(root, prune),
  };
}
