import { EngineError } from '../../model/engine-error.ts';
import { createHttpClient, type HttpBody, type HttpRequest, type HttpResponse } from '../../util/http.ts';
import { HttpError } from '../../util/http-error.ts';
import { requestWithRetries } from '../../util/http-retry.ts';
import { OWN_NETWORK } from '../composition/own-network.ts';
import type { ServerPlace } from './find-server.ts';
import { DaemonProblem, readProblem } from './problem.ts';

const RETRIES = { attempts: 5, baseMs: 250, capMs: 5000 } as const;
const MOST_BYTES = 256 * 1024 * 1024;

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface Call {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/api/v1`, with `/` in front; parts of it already encoded. */
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly content?: HttpBody;
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes repeating a POST harmless, so that it is tried again after a lost connection. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds without a byte; 60 s by default. */
  readonly idleTimeoutMs?: number;
}

export interface Answer<Value> {
  readonly status: number;
  readonly value: Value;
  readonly etag: string | undefined;
}

/** Speaks to one daemon. Rejects with EngineError: DaemonProblem for what the daemon refused, `daemon-unreachable` when none answers. */
export interface DaemonClient {
  readonly place: ServerPlace;
  /** An exchange whose answer is JSON (undefined for an empty one). */
  call<Value>(call: Call): Promise<Answer<Value>>;
  /** An answer to be read as it comes; it must be read to its end or discarded. Not tried again. */
  open(call: Call): Promise<HttpResponse>;
  close(): void;
}

export function createDaemonClient(place: ServerPlace, environment: NodeJS.ProcessEnv): DaemonClient {
  const http = createHttpClient({
    // The daemon is named by its user: it may stand anywhere in the user's network.
    addresses: OWN_NETWORK,
    environment,
    ...(place.socketPath === undefined ? {} : { socketPath: place.socketPath }),
  });
  const send = async (call: Call, retry: boolean): Promise<HttpResponse> => {
    const request = requestOf(call, place);
    try {
      const response = retry ? await requestWithRetries(refusedAtOnce(http), request, RETRIES) : await http.request(request);
      if (response.status >= 200 && response.status < 300) return response;
      throw await readProblem(response, place.name);
    } catch (error) {
      throw error instanceof HttpError ? unreachable(error, place) : error;
    }
  };
  return {
    place,
    call: async <Value>(call: Call) => {
      const response = await send(call, isRepeatable(call));
      const text = await response.text().catch((error: unknown) => {
        throw error instanceof HttpError ? unreachable(error, place) : error;
      });
      const value = (text === '' || call.method === 'HEAD' ? undefined : parseJson(text, place)) as Value;
      return { status: response.status, value, etag: response.headers.etag };
    },
    open: (call) => send(call, false),
    close: () => http.close(),
  };
}

/** Whether the same request may succeed later: lost connections, daemons that restart, too many requests. */
export function mayPass(error: unknown): boolean {
  if (error instanceof HttpError) return error.transient;
  if (error instanceof DaemonProblem) return error.status === 429 || error.status >= 500;
  return error instanceof EngineError && error.code === 'daemon-unreachable' && error.transient;
}

/** Whether nobody listens there, which waiting will hardly change. */
function isRefused(error: unknown): boolean {
  const cause = error instanceof HttpError ? error.cause : undefined;
  const first = cause instanceof AggregateError ? cause.errors[0] : cause;
  return first instanceof Error && 'code' in first && ['ECONNREFUSED', 'ENOENT', 'EACCES', 'ENOTSOCK'].includes(String(first.code));
}

/** A client whose refused connections count as a failure for good: a person waits for the answer. */
function refusedAtOnce(http: { request(request: HttpRequest): Promise<HttpResponse> }): ReturnType<typeof createHttpClient> {
  return {
    request: (request) =>
      http.request(request).catch((error: unknown) => {
        throw isRefused(error) ? new HttpError('refused-address', (error as Error).message, { cause: (error as Error).cause }) : error;
      }),
    close: () => undefined,
  };
}

function isRepeatable({ method, idempotencyKey }: Call): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'PUT' || method === 'DELETE' || idempotencyKey !== undefined;
}

function requestOf(call: Call, place: ServerPlace): HttpRequest {
  const { method, signal, idleTimeoutMs } = call;
  const json = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body), 'utf8');
  const body = call.content ?? json;
  return {
    method,
    url: `${place.origin}/api/v1${call.path}${queryText(call.query ?? {})}`,
    headers: {
      accept: 'application/json',
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...(place.token === undefined ? {} : { authorization: `Bearer ${place.token}` }),
      ...(call.idempotencyKey === undefined ? {} : { 'idempotency-key': call.idempotencyKey }),
      ...call.headers,
    },
    ...(body === undefined ? {} : { body }),
    signal,
    redirects: 0,
    maxBytes: call.headers?.['accept'] === undefined ? MOST_BYTES : Number.MAX_SAFE_INTEGER,
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
  };
}

function queryText(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const item of Array.isArray(value) ? (value as readonly string[]) : [String(value)]) parameters.append(name, item);
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

function parseJson(text: string, place: ServerPlace): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EngineError('daemon-unreachable', `${place.name} answered with something that is no JSON`, {
      cause,
      help: 'Is that the address of a Slipway daemon? A proxy before it may have answered.',
    });
  }
}

function unreachable(error: HttpError, place: ServerPlace): EngineError {
  if (error.kind === 'canceled') return new EngineError('daemon-unreachable', 'the request was cancelled', { cause: error });
  const message =
    place.socketPath !== undefined && isRefused(error)
      ? `no daemon listens on ${place.name}`
      : `${place.name} (${place.from === 'this machine' ? place.from : `from ${place.from}`}): ${error.message}`;
  return new EngineError('daemon-unreachable', message, { cause: error, transient: error.transient || isRefused(error) });
}
