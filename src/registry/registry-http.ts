import { EngineError } from '../model/engine-error.ts';
import type { HttpBody, HttpRequest, HttpResponse } from '../util/http.ts';
import { HttpError } from '../util/http-error.ts';
import { printable, requestWithRetries } from '../util/http-retry.ts';
import { type RetryPolicy, retryAfterMs } from '../util/retry.ts';
import type { Authorizer } from './authorizer.ts';
import type { Endpoints, RegistryEndpoint } from './endpoint.ts';
import type { Scopes } from './token-request.ts';

export interface RegistryRequest {
  readonly host: string;
  /** A path below the registry (`/v2/…`) or the URL of a Location or Link header. */
  readonly target: string;
  readonly method?: NonNullable<HttpRequest['method']>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpBody;
  readonly scopes: Scopes;
  readonly signal?: AbortSignal | undefined;
  readonly maxBytes?: number;
  readonly idleTimeoutMs?: number;
  /** False sends once: for requests that must not be doubled. */
  readonly retry?: boolean;
}

/** Requests to registries with proof, retries and errors in the catalogue's words. */
export interface RegistryHttp {
  /** Resolves to any answer but 401, whatever its status. Rejects with EngineError. */
  send(request: RegistryRequest): Promise<HttpResponse>;
  /** The error of an answer nobody wanted: its body is read for the registry's own words. */
  errorOf(host: string, doing: string, response: HttpResponse): Promise<EngineError>;
  /** Turns errors of reading a body into EngineErrors. */
  failure(host: string, error: unknown): unknown;
}

export function createRegistryHttp(options: {
  readonly endpoints: Endpoints;
  readonly authorizer: Authorizer;
  readonly retry: RetryPolicy;
}): RegistryHttp {
  const { endpoints, authorizer } = options;
  const send = async (request: RegistryRequest): Promise<HttpResponse> => {
    const endpoint = await endpoints.endpoint(request.host, request.signal);
    const url = new URL(request.target, endpoint.base);
    const own = url.origin === new URL(endpoint.base).origin;
    // Proof belongs to the registry; an upload location elsewhere carries its own.
    const header = own ? await authorizer.header(endpoint, request.scopes, request.signal) : undefined;
    const first = await transmit(request, url, endpoint, header);
    if (first.status !== 401) return first;
    const refused = { header, wwwAuthenticate: first.headers['www-authenticate'] };
    const again = own && (await authorizer.challenged(endpoint, request.scopes, refused));
    const proof = again ? await authorizer.header(endpoint, request.scopes, request.signal) : undefined;
    if (proof === undefined) throw await errorOf(request.host, 'access', first);
    first.discard();
    const second = await transmit(request, url, endpoint, proof);
    if (second.status === 401) throw await errorOf(request.host, 'access', second);
    return second;
  };
  const transmit = (request: RegistryRequest, url: URL, endpoint: RegistryEndpoint, header: string | undefined): Promise<HttpResponse> => {
    const http = url.host === new URL(endpoint.base).host ? endpoint.http : endpoints.strict;
    const sent = httpRequest(request, url, header);
    return request.retry === false ? http.request(sent) : requestWithRetries(http, sent, options.retry);
  };
  const errorOf = async (host: string, doing: string, response: HttpResponse): Promise<EngineError> => {
    const words = authorizer.redact(await registryWords(response));
    return statusError(host, doing, response, words);
  };
  const failure = (host: string, error: unknown): unknown => (error instanceof HttpError ? connectionError(host, error) : error);
  return {
    send: (request) => send(request).catch((error: unknown) => Promise.reject(failure(request.host, error))),
    errorOf,
    failure,
  };
}

function httpRequest(request: RegistryRequest, url: URL, header: string | undefined): HttpRequest {
  const { retry: _retry, host: _host, target: _target, scopes: _scopes, ...rest } = request;
  return { ...rest, url: url.href, headers: { ...request.headers, ...(header === undefined ? {} : { authorization: header }) } };
}

/** The messages of a distribution error body, or the beginning of another one. */
async function registryWords(response: HttpResponse): Promise<string> {
  const text = await response.text().catch(() => '');
  return printable(messagesOf(text) ?? text)
    .trim()
    .slice(0, 500);
}

function messagesOf(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    const errors: unknown = typeof body === 'object' && body !== null && 'errors' in body ? body.errors : undefined;
    if (!Array.isArray(errors)) return undefined;
    return errors.map((entry: { code?: unknown; message?: unknown } | null) => String(entry?.message ?? entry?.code ?? '')).join('; ');
  } catch {
    return undefined;
  }
}

function statusError(host: string, doing: string, { status, headers }: HttpResponse, words: string): EngineError {
  const said = words === '' ? `status ${status}` : `status ${status}: ${words}`;
  if (status === 401 || status === 403) {
    return new EngineError('registry-denied', `${host} denied ${doing} (${said}); the repository may need credentials, or may not exist`);
  }
  const transient = status === 429 || status === 408 || status >= 500;
  return new EngineError('registry-failed', `${host} answered ${doing} with ${said}`, {
    transient,
    retryAfterMs: transient ? retryAfterMs(headers['retry-after'], new Date()) : undefined,
  });
}

function connectionError(host: string, error: HttpError): EngineError {
  if (error.kind === 'tls') {
    const help = `Add the registry's authority to the trusted certificates of this machine (or NODE_EXTRA_CA_CERTS), or name it with \`--insecure-registry ${host}\`.`;
    return new EngineError('registry-unreachable', `${host}: ${error.message}`, { cause: error, help });
  }
  if (error.kind === 'not-tls') {
    const help = `If the registry speaks plain HTTP, name it with \`--insecure-registry ${host}\`.`;
    return new EngineError('registry-unreachable', `${host}: ${error.message}`, { cause: error, help });
  }
  if (error.kind === 'refused-address') {
    const setting = / is a private address/.test(error.message) ? 'allowPrivateAddresses' : 'allowLoopbackAddresses';
    // Other addresses are allowed by nobody.
    const help = / is a (?:private|loopback) address/.test(error.message)
      ? { help: `If the registry is to be used, let an admin allow such addresses (\`${setting}\`).` }
      : {};
    return new EngineError('policy-refused', `${host}: ${error.message}`, { cause: error, ...help });
  }
  if (error.kind === 'too-large' || error.kind === 'refused-redirect' || error.kind === 'bad-url') {
    return new EngineError('registry-failed', `${host}: ${error.message}`, { cause: error });
  }
  return new EngineError('registry-unreachable', `${host}: ${error.message}`, { cause: error, transient: error.transient });
}
