import type { Agent, request as httpRequest, IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import { isIP } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type AddressPolicy, addressRefusal } from './address-policy.ts';
import { type ConnectionPool, createConnectionPool, type TlsTrust } from './http-connections.ts';
import { HttpError, httpErrorOf, isUnknownIssuer } from './http-error.ts';

/** A body that can be sent again after a redirect: bytes, or a function that opens the stream anew (with its length). */
export type HttpBody = Uint8Array | { readonly length: number; open(): AsyncIterable<Uint8Array> };

export interface HttpRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** http: or https:, without credentials inside. */
  readonly url: string;
  /** Names in lower case. `authorization` and `cookie` are dropped when a redirect leads to another origin. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpBody;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the whole exchange, the body included. */
  readonly timeoutMs?: number;
  /** Milliseconds without a byte; 60 s by default. */
  readonly idleTimeoutMs?: number;
  /** Bytes of the answer's body, as received; 64 MiB by default. */
  readonly maxBytes?: number;
  /** Redirects to follow; 5 by default, 0 returns the redirect itself. */
  readonly redirects?: number;
}

/** `body` must be read to its end or dropped with `discard`. Headers are in lower case. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Where the answer came from, after redirects. */
  readonly url: string;
  readonly body: AsyncIterable<Uint8Array>;
  bytes(): Promise<Buffer>;
  text(): Promise<string>;
  discard(): void;
}

export interface HttpClientOptions {
  readonly addresses: AddressPolicy;
  readonly tls?: TlsTrust;
  /** Names proxies (`https_proxy` and so on); by default the environment of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Path of a unix socket that all requests go to; the host of a URL is then only what the server is told. */
  readonly socketPath?: string;
}

/** Rejects with HttpError only. Every hop's addresses are checked at the moment of connecting. */
export interface HttpClient {
  request(request: HttpRequest): Promise<HttpResponse>;
  /** Ends idle connections. */
  close(): void;
}

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const pool = createConnectionPool({ ...options, environment: options.environment ?? process.env });
  return {
    request: (request) => exchange(request, pool, options.addresses),
    close: () => pool.close(),
  };
}

async function exchange(request: HttpRequest, pool: ConnectionPool, addresses: AddressPolicy): Promise<HttpResponse> {
  const deadline = request.timeoutMs === undefined ? undefined : AbortSignal.timeout(request.timeoutMs);
  let hop: Hop = {
    method: request.method ?? 'GET',
    url: checkedUrl(request.url, addresses),
    headers: { ...request.headers },
    body: request.body,
  };
  for (let left = request.redirects ?? 5; ; left -= 1) {
    const message = await sendWithTrust(hop, { request, deadline, pool });
    const location = message.headers.location;
    const redirected = [301, 302, 303, 307, 308].includes(message.statusCode ?? 0) && location !== undefined;
    if (!redirected || request.redirects === 0) return responseOf(message, hop.url, { request, deadline });
    message.resume();
    message.destroy();
    if (left <= 0) throw new HttpError('refused-redirect', `${hop.url.host} redirects too often`);
    hop = nextHop(hop, message.statusCode ?? 0, location, addresses);
  }
}

interface Hop {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: HttpBody | undefined;
}

interface Exchange {
  readonly request: HttpRequest;
  readonly deadline: AbortSignal | undefined;
  readonly pool: ConnectionPool;
}

function checkedUrl(text: string | URL, addresses: AddressPolicy): URL {
  const url = URL.canParse(String(text)) ? new URL(text) : undefined;
  if (url === undefined) throw new HttpError('bad-url', 'not a valid URL');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new HttpError('bad-url', `${url.protocol}// is not http or https`);
  if (url.username !== '' || url.password !== '') throw new HttpError('bad-url', `a URL on ${url.host} carries credentials`);
  // Names are checked when they are looked up; node connects to literal addresses without a look-up.
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  const refusal = isIP(literal) === 0 ? undefined : addressRefusal(literal, addresses);
  if (refusal !== undefined) throw new HttpError('refused-address', `connections to ${url.host} are not allowed: ${refusal}`);
  return url;
}

function nextHop(hop: Hop, status: number, location: string, addresses: AddressPolicy): Hop {
  if (!URL.canParse(location, hop.url.href))
    throw new HttpError('refused-redirect', `${hop.url.host} redirects to something that is no URL`);
  const target = new URL(location, hop.url);
  if (target.protocol !== 'http:' && target.protocol !== 'https:') {
    throw new HttpError('refused-redirect', `${hop.url.host} redirects to ${target.protocol}`);
  }
  // Names and passwords inside a redirect are the server's wish, not the user's.
  target.username = '';
  target.password = '';
  const url = checkedUrl(target, addresses);
  const sameOrigin = url.origin === hop.url.origin;
  const carriesCredentials = 'authorization' in hop.headers || 'cookie' in hop.headers;
  if (hop.url.protocol === 'https:' && url.protocol === 'http:' && carriesCredentials) {
    throw new HttpError('refused-redirect', `${hop.url.host} redirects a request with credentials from https to http`);
  }
  const toGet = status === 303 || ((status === 301 || status === 302) && hop.method === 'POST');
  return {
    method: toGet && hop.method !== 'HEAD' ? 'GET' : hop.method,
    url,
    headers: sameOrigin
      ? hop.headers
      : Object.fromEntries(Object.entries(hop.headers).filter(([name]) => !CREDENTIAL_HEADERS.has(name.toLowerCase()))),
    body: toGet ? undefined : hop.body,
  };
}

const CREDENTIAL_HEADERS = new Set(['authorization', 'cookie', 'proxy-authorization']);

/** The certificates of the system are read only when node's own did not suffice: reading them takes 100 ms. */
async function sendWithTrust(hop: Hop, exchange: Exchange): Promise<IncomingMessage> {
  try {
    return await send(hop, exchange);
  } catch (error) {
    const cause = error instanceof HttpError ? error.cause : undefined;
    if (!isUnknownIssuer(cause) || !exchange.pool.trustSystem()) throw error;
    return send(hop, exchange);
  }
}

async function send(hop: Hop, { request, deadline, pool }: Exchange): Promise<IncomingMessage> {
  const signal = combined(request.signal, deadline);
  try {
    signal?.throwIfAborted();
    return await transmit(hop, await pool.agentFor(hop.url), { signal, idleTimeoutMs: request.idleTimeoutMs ?? 60_000 });
  } catch (error) {
    throw interruption(request, deadline, hop.url.host) ?? httpErrorOf(error, hop.url.host);
  }
}

function combined(signal: AbortSignal | undefined, deadline: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return deadline;
  return deadline === undefined ? signal : AbortSignal.any([signal, deadline]);
}

function interruption(request: HttpRequest, deadline: AbortSignal | undefined, host: string): HttpError | undefined {
  if (request.signal?.aborted === true)
    return new HttpError('canceled', `the request to ${host} was cancelled`, { cause: request.signal.reason });
  if (deadline?.aborted === true) return new HttpError('timeout', `${host} did not answer within ${request.timeoutMs} ms`);
  return undefined;
}

function transmit(
  hop: Hop,
  connection: { readonly agent: Agent; readonly request: typeof httpRequest },
  limits: { readonly signal: AbortSignal | undefined; readonly idleTimeoutMs: number },
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const length = hop.body?.length;
  const options: RequestOptions = {
    method: hop.method,
    agent: connection.agent,
    headers: { 'user-agent': 'slipway', ...hop.headers, ...(length === undefined ? {} : { 'content-length': String(length) }) },
    timeout: limits.idleTimeoutMs,
    ...(limits.signal === undefined ? {} : { signal: limits.signal }),
  };
  const outgoing = connection.request(hop.url, options, resolve);
  outgoing.on('error', reject);
  outgoing.on('timeout', () => outgoing.destroy(new HttpError('timeout', `${hop.url.host} was silent for ${limits.idleTimeoutMs} ms`)));
  if (hop.body === undefined) outgoing.end();
  else if (hop.body instanceof Uint8Array) outgoing.end(hop.body);
  // A failing write also shows as the request's own error; a failing source has to end the request.
  else pipeline(Readable.from(hop.body.open(), { objectMode: false }), outgoing).catch((error: unknown) => reject(error));
  return promise;
}

function responseOf(
  message: IncomingMessage,
  url: URL,
  context: { readonly request: HttpRequest; readonly deadline: AbortSignal | undefined },
): HttpResponse {
  const maxBytes = context.request.maxBytes ?? 64 * 1024 * 1024;
  const body = boundedBody(message, url.host, maxBytes, context);
  const bytes = async (): Promise<Buffer> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  return {
    status: message.statusCode ?? 0,
    headers: message.headers,
    url: url.href,
    body,
    bytes,
    text: async () => (await bytes()).toString('utf8'),
    discard: () => {
      message.on('error', () => undefined);
      // A short rest is read so that the connection can be used again; an answer to HEAD has none, whatever length it tells.
      const rest = context.request.method === 'HEAD' ? 0 : Number(message.headers['content-length'] ?? Number.NaN);
      if (rest <= 65_536) message.resume();
      else message.destroy();
    },
  };
}

async function* boundedBody(
  message: IncomingMessage,
  host: string,
  maxBytes: number,
  context: { readonly request: HttpRequest; readonly deadline: AbortSignal | undefined },
): AsyncGenerator<Uint8Array, void, undefined> {
  const tooLarge = (): HttpError => new HttpError('too-large', `${host} sends more than ${maxBytes} bytes`);
  if (context.request.method !== 'HEAD' && Number(message.headers['content-length'] ?? 0) > maxBytes) {
    message.destroy();
    throw tooLarge();
  }
  let received = 0;
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      received += chunk.length;
      if (received > maxBytes) throw tooLarge();
      yield chunk;
    }
  } catch (error) {
    throw interruption(context.request, context.deadline, host) ?? httpErrorOf(error, host);
  }
}
