import { request } from 'node:http';
import { startHttpServer, type TestServer } from '../../test/support/http-server.ts';

export interface CountingProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** Where requests go on to. */
  target: string;
  /** Method and path of each request so far. */
  readonly requests: { readonly method: string; readonly path: string }[];
}

/** Stands before a registry, which may be started later. */
export async function startCountingProxy(): Promise<CountingProxy> {
  const requests: CountingProxy['requests'] = [];
  const state = { target: '' };
  const server: TestServer = await startHttpServer((incoming, outgoing) => {
    const { method = 'GET', url: path = '/', headers } = incoming;
    requests.push({ method, path });
    const [host = '', port = ''] = state.target.split(':');
    const sent = request({ host, port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    sent.on('error', () => outgoing.destroy());
    incoming.pipe(sent);
  });
  return {
    ...{ host: `127.0.0.1:${server.port}`, requests },
    get target() {
      return state.target;
    },
    set target(host) {
      state.target = host;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
