import { resolve } from 'node:path';
import { err, ok, type Result } from '../../util/result.ts';
import { readSource } from './find-task-file.ts';

/** As ACR: a task must not hang on a list of aliases. */
const FETCH_TIMEOUT_MS = 2000;
const MOST_BYTES = 1024 * 1024;

/** Reads what `alias.src` names: http(s) URLs, and files relative to the context. The error is one sentence. */
export function createAliasSourceReader(directory: string, signal: AbortSignal): (src: string) => Promise<Result<string, string>> {
  return async (src) => {
    if (/^https?:\/\//i.test(src)) return fetchSource(src, signal);
    const read = await readSource({ path: resolve(directory, src), name: src });
    return read.ok ? ok(read.value.text) : err(read.error.message);
  };
}

/** HTTP is loaded only here: most tasks name no URL, and reading them should not wait for it. */
async function fetchSource(url: string, signal: AbortSignal): Promise<Result<string, string>> {
  const { createHttpClient } = await import('../../util/http.ts');
  const { fetchText } = await import('../../util/http-retry.ts');
  // A person's own machine: addresses of its network are as good as any.
  const client = createHttpClient({ addresses: { allowPrivate: true, allowLoopback: true } });
  try {
    return ok(await fetchText(client, url, { timeoutMs: FETCH_TIMEOUT_MS, maxBytes: MOST_BYTES, signal }));
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  } finally {
    client.close();
  }
}
