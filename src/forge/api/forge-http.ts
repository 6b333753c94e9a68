import type { z } from 'zod';
import type { EngineError } from '../../model/engine-error.ts';
import type { HttpClient, HttpRequest } from '../../util/http.ts';
import { HttpError } from '../../util/http-error.ts';
import { requestWithRetries } from '../../util/http-retry.ts';
import type { ForgeAnswer, ForgeCall, ForgeDialect } from './forge-call.ts';
import { connectionError, isBusy, statusError } from './forge-errors.ts';
import { parsed } from './forge-json.ts';
import { redirected, sameOrigin } from './forge-places.ts';

/** Requests to the API of a forge. All reject with EngineError `forge-failed`, `forge-denied` or `policy-refused`. */
export interface ForgeHttp {
  /** Any answer but redirects; answers of a forge that is busy are errors. */
  send(call: ForgeCall): Promise<ForgeAnswer>;
  /** Resolves only for a 2xx whose JSON has the shape. */
  read<Schema extends z.ZodType>(call: ForgeCall, schema: Schema): Promise<z.output<Schema>>;
  /** The pages of a list; `next` finds the URL of the page after. Ends at `MOST_PAGES`. */
  pages<Schema extends z.ZodType>(
    call: ForgeCall,
    schema: Schema,
    next: (answer: ForgeAnswer, page: z.output<Schema>) => string | undefined,
  ): AsyncGenerator<z.output<Schema>, void, undefined>;
  /** The body of a 2xx in its shape. */
  parse<Schema extends z.ZodType>(call: ForgeCall, answer: ForgeAnswer, schema: Schema): z.output<Schema>;
  /** The error of an answer that nobody wanted. */
  refusal(call: ForgeCall, answer: ForgeAnswer): EngineError;
}

const TIMEOUT_MS = 30_000;
const MOST_BYTES = 8 * 1024 * 1024;
const MOST_PAGES = 20;
const MOST_REDIRECTS = 3;
const RETRY = { attempts: 3, baseMs: 300, capMs: 5_000 };

export function createForgeHttp(http: HttpClient, dialect: ForgeDialect): ForgeHttp {
  const send = async (call: ForgeCall): Promise<ForgeAnswer> => {
    let url = call.url;
    for (let left = MOST_REDIRECTS; ; left -= 1) {
      const { answer, location } = await exchange(http, dialect, { ...call, url });
      if (location === undefined) {
        if (isBusy(answer, dialect)) throw refusal(call, answer);
        return answer;
      }
      url = redirected(call, { from: url, location, left, dialect, answer });
    }
  };
  const refusal = (call: ForgeCall, answer: ForgeAnswer): EngineError => statusError(call, answer, dialect);
  const parse = <Schema extends z.ZodType>(call: ForgeCall, answer: ForgeAnswer, schema: Schema): z.output<Schema> => {
    if (answer.status < 200 || answer.status > 299 || dialect.denies?.(answer.status, '') === true) throw refusal(call, answer);
    return parsed(call, answer, schema);
  };
  return {
    send,
    read: async (call, schema) => parse(call, await send(call), schema),
    parse,
    refusal,
    async *pages(call, schema, next) {
      let url: string | undefined = call.url;
      for (let count = 0; url !== undefined && count < MOST_PAGES; count += 1) {
        const page = { ...call, url };
        const answer = await send(page);
        const value = parse(page, answer, schema);
        yield value;
        url = sameOrigin(next(answer, value), url);
      }
    },
  };
}

async function exchange(
  http: HttpClient,
  dialect: ForgeDialect,
  call: ForgeCall,
): Promise<{ readonly answer: ForgeAnswer; readonly location: string | undefined }> {
  const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
  const request: HttpRequest = {
    method: call.method,
    url: call.url,
    headers: {
      accept: 'application/json',
      authorization: dialect.authorization(call.access.token),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...dialect.headers,
    },
    ...(body === undefined ? {} : { body }),
    signal: call.access.signal,
    timeoutMs: TIMEOUT_MS,
    maxBytes: MOST_BYTES,
    // The client would take the body, and a hook's secret in it, along to another host.
    redirects: 0,
  };
  try {
    // What changes something is sent once: whether it had arrived is not known.
    const response = await (call.method === 'GET' ? requestWithRetries(http, request, RETRY) : http.request(request));
    const answer = { status: response.status, headers: response.headers, text: await response.text() };
    const moves = [301, 302, 303, 307, 308].includes(response.status);
    return { answer, location: moves ? response.headers.location : undefined };
  } catch (error) {
    throw error instanceof HttpError ? connectionError(call, error) : error;
  }
}
