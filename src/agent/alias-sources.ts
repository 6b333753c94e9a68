import { fetchAliasSource } from '../task/alias/fetch-alias-source.ts';
import type { AddressPolicy } from '../util/address-policy.ts';
import { err, ok, type Result } from '../util/result.ts';
import { readContextFile } from './read-context-file.ts';

/** Reads what `alias.src` names: http(s) URLs, and files of the context. The error is one sentence. */
export function createAliasReader(
  directory: string | undefined,
  options: { readonly addresses: AddressPolicy; readonly signal: AbortSignal },
): (src: string) => Promise<Result<string, string>> {
  return async (src) => {
    if (/^https?:\/\//i.test(src)) return fetchAliasSource(src, options);
    if (directory === undefined) return err(`${src} is to be read from a context, and this run has none`);
    const read = await readContextFile(directory, src);
    return read.ok ? ok(read.value.text) : err(read.error.message);
  };
}
