import type { CredentialSource } from '../../model/ports/credential-source.ts';
import type { Registry } from '../../model/ports/registry.ts';
import { lazyPort } from './lazy-port.ts';
import type { RegistryTrust } from './registry-trust.ts';

/** The registry client, loaded at its first use. */
export function lazyRegistry(places: RegistryTrust & { readonly credentials: CredentialSource }): Registry {
  const methods = {
    ...({ resolve: true, look: true, listTags: true, copy: true } as const),
    ...({ delete: true, referrers: true, pullArtifact: true, probePush: true } as const),
  };
  return lazyPort<Registry>(methods, async () => {
    const { createRegistryClient } = await import('../../registry/registry-client.ts');
    return createRegistryClient({
      credentials: places.credentials,
      insecureRegistries: places.insecureRegistries,
      trustedRealms: places.trustedRealms,
    });
  });
}
