import type { ContextFetcher } from '../../model/ports/context-fetcher.ts';
import type { CredentialSource } from '../../model/ports/credential-source.ts';
import type { GitSource } from '../../model/ports/git-source.ts';
import type { Registry } from '../../model/ports/registry.ts';
import type { ContextParts } from '../../service/build-context.ts';
import type { Io } from '../io.ts';
import { lazyPort } from './lazy-port.ts';
import { lazyRegistry } from './lazy-registry.ts';
import { OWN_NETWORK } from './own-network.ts';
import type { RegistryTrust } from './registry-trust.ts';

export interface ContextPlaces extends RegistryTrust {
  readonly credentials: CredentialSource;
  readonly io: Io;
}

/** What build contexts are fetched with. Nothing is loaded before its first use: most runs need none of it. */
export function createContextParts(places: ContextPlaces): ContextParts & { readonly registry: Registry } {
  return {
    git: lazyPort<GitSource>({ checkout: true, describe: true, listRefs: true, changes: true }, async () => {
      const { createGitSource } = await import('../../git/git-source.ts');
      return createGitSource({ addresses: OWN_NETWORK, environment: places.io.environment });
    }),
    fetcher: lazyPort<ContextFetcher>({ fetchArchive: true, unpackStream: true }, async () => {
      const { createContextFetcher } = await import('../../archive/context-fetcher.ts');
      return createContextFetcher({ addresses: OWN_NETWORK });
    }),
    registry: lazyRegistry(places),
    stdin: { [Symbol.asyncIterator]: () => places.io.stdin[Symbol.asyncIterator]() },
  };
}
