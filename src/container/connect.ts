import { inspect } from 'node:util';
import type { EngineEndpoint } from './endpoint.ts';
import type { EngineTransport } from './engine-api.ts';

/** One connection pool to an engine. */
export interface EngineConnection {
  readonly transport: EngineTransport;
  close(): void;
}

/**
 * Opens the pool; nothing is sent yet. Only dockerode's transport is loaded: dockerode itself brings gRPC along and takes
 * 100 ms longer. Paths stay unversioned: the engine then speaks its newest version.
 */
export async function connect(endpoint: EngineEndpoint): Promise<EngineConnection> {
  const { default: Modem } = await import('docker-modem');
  if (endpoint.kind === 'ssh') {
    const { host, port, username } = endpoint;
    // docker-modem makes an agent of its own for each request over ssh.
    return { transport: { modem: new Modem({ protocol: 'ssh', host, port, username }) }, close: () => undefined };
  }
  const secure = endpoint.kind === 'tcp' && endpoint.tls !== undefined;
  // An import of node:http reads all that it exports, and so loads Node's fetch: 15 ms.
  const { Agent } = process.getBuiltinModule(secure ? 'node:https' : 'node:http');
  // Without TLS no server is named; Node would look whether the name is an address, by an expression that takes 5 ms to compile.
  const agent = new Agent({ keepAlive: true, ...(secure ? {} : { servername: '' }) });
  const pool = { agent };
  // docker-modem formats its request options, the agent with all its sockets included, for a debug line on every call.
  Object.assign(agent, { [inspect.custom]: () => 'Agent' });
  const modem =
    endpoint.kind === 'unix'
      ? new Modem({ socketPath: endpoint.path, ...pool })
      : new Modem({ protocol: secure ? 'https' : 'http', host: endpoint.host, port: endpoint.port, ...pool, ...tlsFiles(endpoint) });
  return { transport: { modem }, close: () => agent.destroy() };
}

function tlsFiles(endpoint: EngineEndpoint & { readonly kind: 'tcp' }): { ca?: string; cert?: string; key?: string } {
  const { ca, cert, key } = endpoint.tls ?? {};
  return {
    ...(ca === undefined ? {} : { ca: ca.toString() }),
    ...(cert === undefined ? {} : { cert: cert.toString() }),
    ...(key === undefined ? {} : { key: key.toString() }),
  };
}
