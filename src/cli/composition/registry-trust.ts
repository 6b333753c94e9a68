import type { Settings } from '../../config/settings.ts';

/** What a person allows registries beyond what is safe for all of them. */
export interface RegistryTrust {
  /** `host[:port]` of registries that may speak plain HTTP. */
  readonly insecureRegistries: readonly string[];
  /** `host[:port]` of token servers that may get the credentials of a registry of another domain. */
  readonly trustedRealms: readonly string[];
}

/** The settings' hosts and those of the flags; commands that ask no registry have no such flags. */
export function registryTrust(
  settings: Settings,
  flags: { readonly insecureRegistry?: readonly string[]; readonly trustedRealm?: readonly string[] },
): RegistryTrust {
  return {
    insecureRegistries: [...(settings.insecureRegistries ?? []), ...(flags.insecureRegistry ?? [])],
    trustedRealms: [...(settings.trustedRealms ?? []), ...(flags.trustedRealm ?? [])],
  };
}
