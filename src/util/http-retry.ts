import type { HttpClient, HttpRequest, HttpResponse } from './http.ts';
import { HttpError } from './http-error.ts';
import { type Attempt, type RetryPolicy, retryAfterMs, withRetries } from './retry.ts';

/**
 * Sends a request up to `attempts` times: again after errors of the connection and after 408, 429 and 5xx (but not 501),
 * waiting as long as Retry-After asks within the policy's cap. The last answer is returned whatever its status.
 */
export function requestWithRetries(client: HttpClient, request: HttpRequest, policy: RetryPolicy): Promise<HttpResponse> {
  return withRetries({ ...policy, signal: request.signal }, async (_number, last): Promise<Attempt<HttpResponse>> => {
    try {
      const response = await client.request(request);
      if (last || !isTransientStatus(response.status)) return { done: true, value: response };
      response.discard();
      const afterMs = retryAfterMs(response.headers['retry-after'], new Date());
      return { done: false, ...(afterMs === undefined ? {} : { afterMs }) };
    } catch (error) {
      if (last || !(error instanceof HttpError) || !error.transient) throw error;
      return { done: false };
    }
  });
}

export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

/**
 * The text at a URL, for small things such as alias sources. Rejects with HttpError; for a status above 299 its message
 * is the beginning of the body.
 */
export async function fetchText(
  client: HttpClient,
  url: string,
  options: { readonly timeoutMs: number; readonly maxBytes: number; readonly signal?: AbortSignal },
): Promise<string> {
  const response = await client.request({ url, ...options });
  const text = await response.text();
  if (response.status > 299) {
    const body = printable(text).slice(0, 500).trim();
    throw new HttpError('status', body === '' ? `status ${response.status}` : body, { status: response.status });
  }
  return text;
}

/** Text of a stranger made fit for a message: control characters become blanks. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
}
