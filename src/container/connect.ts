import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { inspect } from 'node:util';
import type Dockerode from 'dockerode';
import type { EngineEndpoint } from './endpoint.ts';

/** One connection pool to an engine. */
export interface EngineConnection {
  readonly docker: Dockerode;
  close(): void;
}

/**
 * Opens the pool; nothing is sent yet. dockerode takes some 140 ms to load, so it is only loaded here: commands that
 * need no engine never pay for it. Paths stay unversioned: the engine then speaks its newest version.
 */
export async function connect(endpoint: EngineEndpoint): Promise<EngineConnection> {
  const { default: Docker } = await import('dockerode');
  if (endpoint.kind === 'ssh') {
    const { host, port, username } = endpoint;
    // docker-modem makes an agent of its own for each request over ssh.
    return { docker: new Docker({ protocol: 'ssh', host, port, username }), close: () => undefined };
  }
  const secure = endpoint.kind === 'tcp' && endpoint.tls !== undefined;
  const agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  const pool = { agent };
  // docker-modem formats its request options, the agent with all its sockets included, for a debug line on every call.
  Object.assign(agent, { [inspect.custom]: () => 'Agent' });
  const docker =
    endpoint.kind === 'unix'
      ? new Docker({ socketPath: endpoint.path, ...pool })
      : new Docker({ protocol: secure ? 'https' : 'http', host: endpoint.host, port: endpoint.port, ...pool, ...tlsFiles(endpoint) });
  return { docker, close: () => agent.destroy() };
}

function tlsFiles(endpoint: EngineEndpoint & { readonly kind: 'tcp' }): { ca?: string; cert?: string; key?: string } {
  const { ca, cert, key } = endpoint.tls ?? {};
  return {
    ...(ca === undefined ? {} : { ca: ca.toString() }),
    ...(cert === undefined ? {} : { cert: cert.toString() }),
    ...(key === undefined ? {} : { key: key.toString() }),
  };
}
