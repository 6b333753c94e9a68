import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

/** What to do with one request instead of passing it on: an answer, or a cut connection. */
export type Fault = { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string } | 'cut';

export interface FaultProxy {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** Requests that a fault answered, as `METHOD path`. */
  readonly faults: readonly string[];
  stop(): Promise<void>;
}

/** An HTTP proxy before a real server that answers some requests itself: faults that the real server does not produce on demand. */
export async function startFaultProxy(target: string, decide: (call: IncomingMessage) => Fault | undefined): Promise<FaultProxy> {
  const faults: string[] = [];
  const server = createServer((call, answer) => {
    const fault = decide(call);
    if (fault === undefined) {
      pass(target, call, answer);
      return;
    }
    faults.push(`${call.method} ${call.url}`);
    if (fault === 'cut') call.socket.destroy();
    else answer.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers }).end(fault.body ?? '{"errors":[]}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { host: `127.0.0.1:${address.port}`, faults, stop };
}

function pass(target: string, call: IncomingMessage, answer: ServerResponse): void {
  const [hostname, port] = target.split(':');
  const onward = request({ hostname, port, method: call.method, path: call.url, headers: call.headers }, (reply) => {
    answer.writeHead(reply.statusCode ?? 502, reply.headers);
    reply.pipe(answer);
  });
  onward.on('error', () => answer.destroy());
  call.pipe(onward);
}
