import { type IncomingHttpHeaders, request } from 'node:http';

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  json(): Record<string, unknown>;
}

export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Objects are sent as JSON. */
  readonly body?: unknown;
  readonly token?: string;
}

/** One request by node:http, which sends what it is told: also a false Host. `to` is a URL or the path of a socket. */
export function send(to: string, { method = 'GET', path, headers = {}, body, token }: RawRequest): Promise<RawAnswer> {
  const where = to.startsWith('/') ? { socketPath: to } : { host: new URL(to).hostname, port: new URL(to).port };
  const isText = typeof body === 'string' || body instanceof Uint8Array;
  const content = body === undefined ? undefined : isText ? body : JSON.stringify(body);
  const all = {
    ...(content === undefined || isText ? {} : { 'content-type': 'application/json' }),
    ...(content === undefined ? {} : { 'content-length': String(Buffer.byteLength(content)) }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...headers,
  };
  return new Promise((resolve, reject) => {
    const sent = request({ ...where, method, path, headers: all, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json: () => JSON.parse(text) });
      });
    });
    sent.on('error', reject);
    sent.end(content);
  });
}
