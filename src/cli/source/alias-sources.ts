import { resolve } from 'node:path';
import { fetchAliasSource } from '../../task/alias/fetch-alias-source.ts';
import { err, ok, type Result } from '../../util/result.ts';
import { OWN_NETWORK } from '../composition/own-network.ts';
import { readSource } from './find-task-file.ts';

/** Reads what `alias.src` names: http(s) URLs, and files relative to the context. The error is one sentence. */
export function createAliasSourceReader(directory: string, signal: AbortSignal): (src: string) => Promise<Result<string, string>> {
  return async (src) => {
    if (/^https?:\/\//i.test(src)) return fetchAliasSource(src, { addresses: OWN_NETWORK, signal });
    const read = await readSource({ path: resolve(directory, src), name: src });
    return read.ok ? ok(read.value.text) : err(read.error.message);
  };
}
