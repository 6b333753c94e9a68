import { EngineError } from '../model/engine-error.ts';
import type { HttpResponse } from '../util/http.ts';
import type { RegistryHttp, RegistryRequest } from './registry-http.ts';

const MAX_PAGES = 10_000;

/** Reads all pages of a listing (Link headers with rel="next"), or undefined when the first one is 404. */
export async function readPages<T>(
  http: RegistryHttp,
  request: RegistryRequest,
  doing: string,
  entriesOf: (page: Readonly<Record<string, unknown>>) => readonly T[],
): Promise<readonly T[] | undefined> {
  const entries: T[] = [];
  let target: string | undefined = request.target;
  for (let page = 0; target !== undefined; page += 1) {
    if (page >= MAX_PAGES) throw new EngineError('registry-failed', `${request.host} answers ${doing} with endless pages`);
    const response: HttpResponse = await http.send({ ...request, target });
    if (response.status === 404 && page === 0) {
      response.discard();
      return undefined;
    }
    if (response.status !== 200) throw await http.errorOf(request.host, doing, response);
    const text = await response.text().catch((error: unknown) => Promise.reject(http.failure(request.host, error)));
    entries.push(...entriesOf(parsePage(text, request.host, doing)));
    target = nextPage(response);
  }
  return entries;
}

function parsePage(text: string, host: string, doing: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // Said below.
  }
  throw new EngineError('registry-failed', `${host} answered ${doing} with something that is no JSON object`);
}

function nextPage(response: HttpResponse): string | undefined {
  const { link } = response.headers;
  const match = /<([^>]+)>\s*;[^,]*\brel="?next"?/i.exec(Array.isArray(link) ? link.join(',') : (link ?? ''));
  const target = match?.[1];
  return target !== undefined && URL.canParse(target, response.url) ? new URL(target, response.url).href : undefined;
}
