import { EngineError } from '../../model/engine-error.ts';
import type { HttpClient } from '../../util/http.ts';

const TIMEOUT_MS = 30_000;
const MOST_ANSWER_BYTES = 65_536;

/** Posts to an address that a task names. Says nothing of the address: it may hold a token. Rejects with EngineError, transient where it may pass. */
export function createPostJson(http: HttpClient): (url: string, body: unknown, signal: AbortSignal) => Promise<void> {
  return async (url, body, signal) => {
    const response = await http
      .request({
        method: 'POST',
        url,
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(JSON.stringify(body)),
        ...{ signal, timeoutMs: TIMEOUT_MS, maxBytes: MOST_ANSWER_BYTES, redirects: 0 },
      })
      .catch((error: unknown) => {
        signal.throwIfAborted();
        const why = error instanceof Error ? error.message.replaceAll(url, 'it') : 'unknown';
        throw new EngineError('forge-failed', `the update trigger endpoint could not be reached: ${why}`, { transient: true });
      });
    response.discard();
    if (response.status >= 200 && response.status < 300) return;
    const transient = response.status >= 500 || response.status === 429 || response.status === 408;
    throw new EngineError('forge-failed', `the update trigger endpoint answered ${response.status}`, { transient });
  };
}
