import type { CredentialSource } from '../model/ports/credential-source.ts';

/** The `config.json` that docker clients inside steps find in their home; undefined when the run has no explicit credentials. */
export async function dockerConfigJson(credentials: CredentialSource): Promise<Uint8Array | undefined> {
  const entries = await Promise.all(
    credentials.explicitHosts().map(async (host): Promise<readonly [string, object] | undefined> => {
      const credential = await credentials.forHost(host);
      if (credential === undefined) return undefined;
      const key = host === 'docker.io' ? 'https://index.docker.io/v1/' : host;
      return credential.kind === 'basic'
        ? [key, { auth: Buffer.from(`${credential.username}:${credential.password}`).toString('base64') }]
        : [key, { identitytoken: credential.token }];
    }),
  );
  const auths = entries.filter((entry) => entry !== undefined);
  if (auths.length === 0) return undefined;
  return Buffer.from(`${JSON.stringify({ auths: Object.fromEntries(auths) }, undefined, 2)}\n`);
}
