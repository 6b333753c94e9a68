import type { CredentialSource, RegistryCredential } from '../../model/ports/credential-source.ts';

/** One registry's entry of the X-Registry-Auth and X-Registry-Config headers. */
function authEntry(host: string, credential: RegistryCredential): object {
  const serveraddress = host === 'docker.io' ? 'https://index.docker.io/v1/' : host;
  return credential.kind === 'basic'
    ? { username: credential.username, password: credential.password, serveraddress }
    : { identitytoken: credential.token, serveraddress };
}

/** The value of X-Registry-Auth for one host; without a credential the engine asks anonymously. */
export async function registryAuth(credentials: CredentialSource, host: string, signal: AbortSignal): Promise<object> {
  const credential = await credentials.forHost(host, signal);
  return credential === undefined ? {} : authEntry(host, credential);
}

/** The value of X-Registry-Config, which the classic builder pulls base images with: URL-safe base64 of JSON, padded. */
export async function registryConfig(credentials: CredentialSource, hosts: Iterable<string>, signal: AbortSignal): Promise<string> {
  const entries: Record<string, object> = {};
  for (const host of hosts) {
    const credential = await credentials.forHost(host, signal);
    if (credential !== undefined) entries[host === 'docker.io' ? 'https://index.docker.io/v1/' : host] = authEntry(host, credential);
  }
  return Buffer.from(JSON.stringify(entries), 'utf8').toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}
