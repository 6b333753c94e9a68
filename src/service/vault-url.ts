import { err, ok, type Result } from '../util/result.ts';

/** An Azure Key Vault secret as ACR reads its URL; everything is in lower case. */
export interface VaultSecret {
  /** The normalised URL, which mappings are looked up by. */
  readonly url: string;
  /** `https://NAME.vault.azure.net` */
  readonly vault: string;
  readonly name: string;
  /** Empty for the current version. */
  readonly version: string;
  /** Whom an access token would be for: `https://vault.azure.net`. */
  readonly audience: string;
}

/** Reads `https://VAULT/secrets/NAME[/VERSION]`. The error is one sentence. */
export function parseVaultUrl(text: string): Result<VaultSecret, string> {
  const normalised = text.trim().toLowerCase().replace(/\/$/, '');
  if (!normalised.startsWith('https://')) return err('the URL of a vault secret starts with https://');
  if (!URL.canParse(normalised)) return err('the URL of a vault secret is malformed');
  const url = new URL(normalised);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    return err('the URL of a vault secret has no credentials, query or fragment');
  const suffix = url.host.slice(url.host.indexOf('.') + 1);
  if (!url.host.includes('.') || suffix === '') return err('the host of a vault secret is VAULT.SUFFIX, such as my.vault.azure.net');
  const [root, collection, name = '', version = '', ...more] = url.pathname.split('/');
  const complete = root === '' && collection === 'secrets' && name !== '' && more.length === 0;
  if (!complete || (version === '' && url.pathname.endsWith('/')))
    return err('the path of a vault secret is /secrets/NAME or /secrets/NAME/VERSION');
  return ok({ url: normalised, vault: url.origin, name, version, audience: `https://${suffix}` });
}
