import { resolve } from 'node:path';
import { createHttpClient } from '../../util/http.ts';
import { err, ok, type Result } from '../../util/result.ts';
import { readSource } from './find-task-file.ts';

/** As ACR: a task must not hang on a list of aliases. */
const FETCH_TIMEOUT_MS = 2000;
const MOST_BYTES = 1024 * 1024;

/** Reads what `alias.src` names: http(s) URLs, and files relative to the context. The error is one sentence. */
export function createAliasSourceReader(directory: string, signal: AbortSignal): (src: string) => Promise<Result<string, string>> {
  return async (src) => {
    if (/^https?:\/\//i.test(src)) return fetchText(src, signal);
    const read = await readSource({ path: resolve(directory, src), name: src });
    return read.ok ? ok(read.value.text) : err(read.error.message);
  };
}

async function fetchText(url: string, signal: AbortSignal): Promise<Result<string, string>> {
  // A person's own machine: addresses of its network are as good as any.
  const client = createHttpClient({ addresses: { allowPrivate: true, allowLoopback: true } });
  try {
    const response = await client.request({ url, signal, timeoutMs: FETCH_TIMEOUT_MS, maxBytes: MOST_BYTES });
    const text = await response.text();
    if (response.status !== 200)
      return err(`${url} answered ${response.status}${text.trim() === '' ? '' : `: ${text.trim().slice(0, 200)}`}`);
    return ok(text);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  } finally {
    client.close();
  }
}
