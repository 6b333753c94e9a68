/** What a registry accepts as proof. Never logged, never in argv, never in an error. */
export type RegistryCredential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** A refresh token from a credential helper (`<token>` user name). */
  | { readonly kind: 'identity-token'; readonly token: string };

/** Credentials by registry host (`host[:port]`; Docker Hub is `docker.io`). Exact host only: one host's credential never goes to another. */
export interface CredentialSource {
  /** A credential helper may take long: an aborted signal rejects at once, and ends the helper when nobody else waits for it. */
  forHost(host: string, signal?: AbortSignal): Promise<RegistryCredential | undefined>;
  /** Hosts with explicit credentials, for writing the run's own docker config for steps. Helpers are not asked. */
  explicitHosts(): readonly string[];
}
