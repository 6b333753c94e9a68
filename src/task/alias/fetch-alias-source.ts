import type { AddressPolicy } from '../../util/address-policy.ts';
import { err, ok, type Result } from '../../util/result.ts';

/** As ACR: a task must not hang on a list of aliases. */
const FETCH_TIMEOUT_MS = 2000;
const MOST_BYTES = 1024 * 1024;

/** Reads what an http(s) URL of `alias.src` names. The error is one sentence. */
export async function fetchAliasSource(
  url: string,
  options: { readonly addresses: AddressPolicy; readonly signal: AbortSignal },
): Promise<Result<string, string>> {
  // Loaded only here: most tasks name no URL, and reading them should not wait for HTTP.
  const { createHttpClient } = await import('../../util/http.ts');
  const { fetchText } = await import('../../util/http-retry.ts');
  const client = createHttpClient({ addresses: options.addresses });
  try {
    return ok(await fetchText(client, url, { timeoutMs: FETCH_TIMEOUT_MS, maxBytes: MOST_BYTES, signal: options.signal }));
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  } finally {
    client.close();
  }
}
