/** What a registry accepts as proof. Never logged, never in argv, never in an error. */
export type RegistryCredential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** A refresh token from a credential helper (`<token>` user name). */
  | { readonly kind: 'identity-token'; readonly token: string };

/** Credentials by registry host (`host[:port]`; Docker Hub is `docker.io`). Exact host only: one host's credential never goes to another. */
export interface CredentialSource {
  forHost(host: string): Promise<RegistryCredential | undefined>;
  /** Hosts with explicit credentials, for writing the run's own docker config for steps. Helpers are not asked. */
  explicitHosts(): readonly string[];
}
