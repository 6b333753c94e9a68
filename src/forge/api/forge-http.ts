import type { z } from 'zod';
import { EngineError } from '../../model/engine-error.ts';
import type { ForgeAccess } from '../../model/ports/forge.ts';
import type { HttpClient, HttpRequest, HttpResponse } from '../../util/http.ts';
import { HttpError } from '../../util/http-error.ts';
import { isTransientStatus, printable, requestWithRetries } from '../../util/http-retry.ts';
import { retryAfterMs } from '../../util/retry.ts';
import { type ForgeKind, rightsHelp } from './rights.ts';

export interface ForgeCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly url: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly access: ForgeAccess;
  /** What is asked, for messages: `the commit status`. */
  readonly doing: string;
  /** Besides the token: texts that no message may repeat. */
  readonly secrets?: readonly string[];
}

export interface ForgeAnswer {
  readonly status: number;
  readonly headers: HttpResponse['headers'];
  readonly text: string;
}

/** How one kind of forge is spoken to. */
export interface ForgeDialect {
  readonly kind: ForgeKind;
  authorization(token: string): string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Answers that mean that the token was not accepted, besides 401, 403 and 404. */
  denies?(status: number, location: string): boolean;
  /** Statuses besides 408, 429 and 5xx that pass. */
  readonly passing?: readonly number[];
}

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
      url = followed(call, { from: url, location, left, dialect, answer });
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

/** The URL that a `Link` header names as the next page. */
export function linkedPage(answer: ForgeAnswer): string | undefined {
  const header = answer.headers['link'];
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  return /<([^<>]{1,2000})>\s*;[^<]*?\brel="?next"?/i.exec(text)?.[1];
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
    const redirected = [301, 302, 303, 307, 308].includes(response.status);
    return { answer, location: redirected ? response.headers.location : undefined };
  } catch (error) {
    throw error instanceof HttpError ? connectionError(call, error) : error;
  }
}

/** Forges redirect within themselves when a repository was renamed; the same method and body go to the new place. */
function followed(
  call: ForgeCall,
  hop: {
    readonly from: string;
    readonly location: string;
    readonly left: number;
    readonly dialect: ForgeDialect;
    readonly answer: ForgeAnswer;
  },
): string {
  if (hop.dialect.denies?.(hop.answer.status, hop.location) === true) throw statusError(call, hop.answer, hop.dialect);
  const host = new URL(hop.from).host;
  const target = URL.canParse(hop.location, hop.from) ? new URL(hop.location, hop.from) : undefined;
  if (target === undefined) throw new EngineError('forge-failed', `${host} redirects ${call.doing} to something that is no URL`);
  if (target.origin !== new URL(hop.from).origin) {
    throw new EngineError('forge-failed', `${host} redirects ${call.doing} to ${target.origin}, and a token goes to no other server`, {
      help: 'If the repository has moved there, give the trigger its new URL.',
    });
  }
  if (hop.left <= 0 || (hop.answer.status === 303 && call.method !== 'GET')) {
    throw new EngineError('forge-failed', `${host} redirects ${call.doing} without end`);
  }
  target.username = '';
  target.password = '';
  return target.href;
}

function sameOrigin(next: string | undefined, from: string): string | undefined {
  if (next === undefined || !URL.canParse(next, from)) return undefined;
  const url = new URL(next, from);
  return url.origin === new URL(from).origin && url.username === '' && url.password === '' ? url.href : undefined;
}

function parsed<Schema extends z.ZodType>(call: ForgeCall, answer: ForgeAnswer, schema: Schema): z.output<Schema> {
  const result = schema.safeParse(jsonOf(answer.text));
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join('.') ?? '';
  throw new EngineError(
    'forge-failed',
    `${new URL(call.url).host} answered ${call.doing} with something that its API does not describe${where === '' ? '' : ` (at ${where})`}`,
    { help: 'Check that the repository URL and the kind of forge (`--forge`) belong together.' },
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text, exactNumber);
  } catch {
    return undefined;
  }
}

/** Ids of GitHub's deliveries are beyond the exact numbers of JavaScript: such integers stay texts. */
function exactNumber(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) ? (context?.source ?? value) : value;
}

function isBusy(answer: ForgeAnswer, dialect: ForgeDialect): boolean {
  return isTransientStatus(answer.status) || dialect.passing?.includes(answer.status) === true || limitedFor(answer) !== undefined;
}

/**
 * Milliseconds until a limit of requests is over. GitHub answers 403 as well as 429 for its limits, so it is not the
 * status that tells.
 */
function limitedFor({ status, headers }: ForgeAnswer): number | undefined {
  if (status !== 403 && status !== 429) return undefined;
  const asked = retryAfterMs(headers['retry-after'], new Date());
  if (asked !== undefined) return asked;
  const reset = Number(headers['x-ratelimit-reset']);
  return headers['x-ratelimit-remaining'] === '0' && Number.isFinite(reset) ? Math.max(0, reset * 1000 - Date.now()) : undefined;
}

function statusError(call: ForgeCall, answer: ForgeAnswer, dialect: ForgeDialect): EngineError {
  const { host } = new URL(call.url);
  const words = wordsOf(answer.text, [call.access.token, ...(call.secrets ?? [])]);
  const said = words === '' ? `status ${answer.status}` : `status ${answer.status}: ${words}`;
  const limited = limitedFor(answer);
  if (isBusy(answer, dialect)) {
    const retry = limited ?? retryAfterMs(answer.headers['retry-after'], new Date());
    return new EngineError('forge-failed', `${host} answered ${call.doing} with ${said}`, { transient: true, retryAfterMs: retry });
  }
  const help = rightsHelp(dialect.kind);
  if (answer.status === 404)
    return new EngineError('forge-denied', `${host} does not know the repository, or hides it from the token: ${call.doing}, ${said}`, {
      help,
    });
  if (answer.status === 401 || answer.status === 403 || dialect.denies?.(answer.status, answer.headers.location ?? '') === true)
    return new EngineError('forge-denied', `${host} denied ${call.doing} (${said})`, { help });
  return new EngineError('forge-failed', `${host} refused ${call.doing} (${said})`);
}

/** What the forge says itself, without secrets, in one line. */
function wordsOf(text: string, secrets: readonly string[]): string {
  let words = printable(messageIn(jsonOf(text)) ?? (/^\s*</.test(text) ? '' : text));
  for (const secret of secrets) if (secret !== '') words = words.replaceAll(secret, '***');
  return words.trim().slice(0, 300);
}

function messageIn(body: unknown): string | undefined {
  if (typeof body === 'string') return body;
  if (typeof body !== 'object' || body === null) return undefined;
  const said = 'message' in body ? body.message : 'error' in body ? body.error : undefined;
  const details = 'errors' in body && Array.isArray(body.errors) && body.errors.length > 0 ? ` ${JSON.stringify(body.errors)}` : '';
  if (typeof said === 'string') return `${said}${details}`;
  if (typeof said === 'object' && said !== null) return messageIn(said) ?? JSON.stringify(said);
  return JSON.stringify(body);
}

function connectionError(call: ForgeCall, error: HttpError): EngineError {
  const { host } = new URL(call.url);
  if (error.kind === 'refused-address') {
    const help = 'Let an admin allow private addresses (`allowPrivateAddresses`) if the forge is in this network.';
    return new EngineError('policy-refused', `${host}: ${error.message}`, { cause: error, help });
  }
  return new EngineError('forge-failed', `${host} could not be asked for ${call.doing}: ${error.message}`, {
    cause: error,
    transient: error.transient || error.kind === 'canceled',
    ...(error.kind === 'tls'
      ? { help: 'Add the authority of the forge to the trusted certificates of this machine, or to NODE_EXTRA_CA_CERTS.' }
      : {}),
  });
}
