import type { IncomingMessage, ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import type { HttpClient } from '../../src/util/http.ts';
import { startHttpServer } from '../support/http-server.ts';

/** What a forge was asked. */
export interface AskedRequest {
  readonly method: string;
  /** Of the host that was asked for: `127.0.0.1:PORT`, or the one that `reroute` stands in for. */
  readonly host: string;
  /** Decoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
  /** `https://host` or the fake's own URL: for links in answers. */
  readonly base: string;
}

export interface ForgeReply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The documented API of one kind of forge over a state of its own. */
export type ForgeApi = (request: AskedRequest) => ForgeReply;

/** What the next request meets instead of an answer. `hang`: none, ever. `drop`: the connection ends. `after`: the answer, but not before. */
export type ForgeFault = ForgeReply | 'hang' | 'drop' | { readonly after: Promise<unknown> };

export interface FakeForge extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly asked: readonly AskedRequest[];
  /** The next requests meet these, one each. */
  fail(...faults: readonly ForgeFault[]): void;
  /** Every request meets it until `undefined` is given. */
  failAll(fault: ForgeFault | undefined): void;
  /** Resolves when `count` requests have come. */
  came(count: number): Promise<void>;
}

/** A forge on a free port of loopback, that behaves as the documentation of its kind says. */
export async function startForge(api: ForgeApi): Promise<FakeForge> {
  const asked: AskedRequest[] = [];
  const faults: ForgeFault[] = [];
  let always: ForgeFault | undefined;
  let watchers: { readonly count: number; readonly resolve: () => void }[] = [];

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const request = await requestOf(incoming, server.url);
    asked.push(request);
    for (const { resolve } of watchers.filter(({ count }) => asked.length >= count)) resolve();
    watchers = watchers.filter(({ count }) => asked.length < count);
    const fault = faults.shift() ?? always;
    if (fault === 'hang') return;
    if (fault === 'drop') {
      outgoing.destroy();
      return;
    }
    if (fault !== undefined && 'after' in fault) await fault.after;
    const reply = fault === undefined || 'after' in fault ? api(request) : fault;
    const text = reply.body === undefined ? '' : typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
    outgoing.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers }).end(text);
  }

  const server = await startHttpServer((incoming, outgoing) => {
    answer(incoming, outgoing).catch((error: unknown) => outgoing.writeHead(500).end(String(error)));
  });
  return {
    url: server.url,
    asked,
    fail: (...next) => faults.push(...next),
    failAll: (fault) => {
      always = fault;
    },
    came: (count) =>
      new Promise((resolve) => {
        if (asked.length >= count) resolve();
        else watchers.push({ count, resolve });
      }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A client for which the fake is every host of the world, as if names led to it. The fake is told which one was meant. */
export function reroute(client: HttpClient, forge: Pick<FakeForge, 'url'>): HttpClient {
  return {
    request: (request) => {
      const url = new URL(request.url);
      if (url.origin === forge.url) return client.request(request);
      return client.request({ ...request, url: `${forge.url}/~${url.protocol.slice(0, -1)}/${url.host}${url.pathname}${url.search}` });
    },
    close: () => client.close(),
  };
}

async function requestOf(incoming: IncomingMessage, own: string): Promise<AskedRequest> {
  const [, scheme, host, path] = /^\/~(https?)\/([^/]+)(\/.*)$/.exec(incoming.url ?? '') ?? [];
  const base = host === undefined ? own : `${scheme}://${host}`;
  const url = new URL(path ?? incoming.url ?? '/', base);
  const hasBody = Number(incoming.headers['content-length'] ?? 0) > 0;
  return {
    method: incoming.method ?? '',
    host: url.host,
    path: decodeURI(url.pathname),
    query: url.searchParams,
    headers: incoming.headers,
    body: hasBody ? await json(incoming) : undefined,
    base,
  };
}
