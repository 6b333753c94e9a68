import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { addAbortSignal, type Readable } from 'node:stream';
import { EngineError } from '../model/engine-error.ts';

/** One request to the Engine API. `query` goes into the URL, so nothing secret or large belongs there. */
export interface EngineCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  /** Unversioned, already URL-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: object;
  /** Sent as it is (a tar); excludes `body`. */
  readonly file?: Buffer | Readable;
  readonly headers?: Readonly<Record<string, string>>;
  readonly registryAuth?: object;
  readonly signal?: AbortSignal;
}

/** An HTTP answer of the engine that is not 2xx: the engine's own words. */
export class EngineRefusal extends Error {
  override readonly name = 'EngineRefusal';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** dockerode's transport (docker-modem), whether a Dockerode has it or it stands alone. */
export interface EngineTransport {
  readonly modem: {
    dial(options: object, callback: (error: unknown, data: unknown) => void): void;
  };
}

const ACCEPTED: Readonly<Record<number, true>> = { 101: true, 200: true, 201: true, 202: true, 204: true, 304: true };

/**
 * The Engine API over dockerode's connection. dockerode's own methods put their options into the URL as well as into the
 * body (environment values and limits of the URL's length included), so calls name query and body apart here.
 */
export class EngineApi {
  readonly transport: EngineTransport;

  constructor(transport: EngineTransport) {
    this.transport = transport;
  }

  /** The parsed JSON answer. Rejects with EngineRefusal, or EngineError when the engine could not be talked to. */
  async json<T>(call: EngineCall): Promise<T> {
    return (await this.#dial(call, {})) as T;
  }

  /** The answer as a stream; resolves when its headers are there. */
  async stream(call: EngineCall): Promise<IncomingMessage> {
    const answer = (await this.#dial(call, { isStream: true })) as IncomingMessage;
    // An aborted request ends its answer without an error; a stream cut short has to fail.
    return call.signal === undefined ? answer : addAbortSignal(call.signal, answer);
  }

  /** The raw connection after `101 Switching Protocols`. */
  async hijack(call: EngineCall): Promise<Socket> {
    // With an empty body of known length: the end of a chunked one would be typed into the container's terminal by Podman.
    return (await this.#dial({ ...call, file: Buffer.alloc(0) }, { isStream: true, hijack: true, openStdin: false })) as Socket;
  }

  #dial(call: EngineCall, mode: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const options = {
        method: call.method,
        // docker-modem appends the query only to a path that ends in "?", and cuts that character off without one.
        path: `${call.path}?`,
        options: { _query: call.query ?? {}, _body: call.body ?? {} },
        statusCodes: ACCEPTED,
        ...(call.headers === undefined ? {} : { headers: { ...call.headers } }),
        ...(call.file === undefined ? {} : { file: call.file }),
        ...(call.registryAuth === undefined ? {} : { authconfig: call.registryAuth }),
        ...(call.signal === undefined ? {} : { abortSignal: call.signal }),
        ...mode,
      };
      this.transport.modem.dial(options, (error, data) => {
        if (error === null || error === undefined) resolve(data);
        else reject(translateFailure(error));
      });
    });
  }
}

function translateFailure(error: unknown): Error {
  const failure = error as { statusCode?: unknown; json?: unknown; message?: unknown; code?: unknown; name?: unknown };
  if (typeof failure.statusCode === 'number') return new EngineRefusal(failure.statusCode, refusalText(failure));
  return toEngineError(error);
}

function refusalText(failure: { readonly json?: unknown; readonly message?: unknown }): string {
  const json = failure.json as { message?: unknown; cause?: unknown } | null | undefined;
  if (typeof json?.message === 'string' && json.message !== '') return json.message.trim();
  return String(failure.message)
    .replace(/^\(HTTP code \d+\) [^-]*- /, '')
    .trim();
}

const UNREACHABLE = new Set(['ECONNREFUSED', 'ENOENT', 'EACCES', 'EPERM', 'ENOTFOUND', 'EHOSTUNREACH', 'ETIMEDOUT', 'EAI_AGAIN']);

/** Any failure of talking to the engine as an EngineError; one that is already is returned unchanged. */
export function toEngineError(error: unknown, doing?: string): EngineError {
  if (error instanceof EngineError) return error;
  const prefix = doing === undefined ? '' : `${doing}: `;
  if (error instanceof EngineRefusal) {
    if (isDiskFull(error.message)) return new EngineError('disk-full', `${prefix}${error.message}`, { cause: error });
    return new EngineError('engine-failed', `${prefix}the engine answered ${error.status}: ${error.message}`, { cause: error });
  }
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && UNREACHABLE.has(code)) {
    return new EngineError('engine-unreachable', `${prefix}the container engine does not answer: ${String(message)}`, {
      cause: error,
      transient: true,
    });
  }
  return new EngineError('engine-failed', `${prefix}the connection to the container engine broke: ${String(message)}`, {
    cause: error,
    transient: true,
  });
}

export function isDiskFull(message: string): boolean {
  return /no space left on device/i.test(message);
}

export function isRefusal(error: unknown, status: number): error is EngineRefusal {
  return error instanceof EngineRefusal && error.status === status;
}
