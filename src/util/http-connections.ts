import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import type { Agent, AgentOptions, request as httpRequest } from 'node:http';
import type { LookupFunction } from 'node:net';
import { type AddressPolicy, addressRefusal } from './address-policy.ts';
import { HttpError } from './http-error.ts';
import { proxyFor } from './proxy.ts';

// An import of node:http reads all that it exports, and so loads Node's fetch: 15 ms.
const http = process.getBuiltinModule('node:http');

export interface TlsTrust {
  /** False accepts any certificate: for registries that the user named insecure. */
  readonly verify?: boolean;
  /** PEM certificates trusted besides the usual ones. */
  readonly extraCertificates?: readonly string[];
}

export interface Connection {
  readonly agent: Agent;
  readonly request: typeof httpRequest;
}

/** Keep-alive connections whose addresses were checked when they were made. */
export interface ConnectionPool {
  /** Behind a proxy the proxy resolves names: only literal addresses in URLs are checked then. */
  agentFor(url: URL): Promise<Connection>;
  /** From now on trusts the certificates of the operating system too; false when it did already or when nothing is verified. */
  trustSystem(): boolean;
  close(): void;
}

export interface PoolOptions {
  readonly addresses: AddressPolicy;
  readonly tls?: TlsTrust;
  /** Where proxies are named. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Path of a unix socket that every connection goes to, whatever the URL names. */
  readonly socketPath?: string;
}

export function createConnectionPool(options: PoolOptions): ConnectionPool {
  return options.socketPath === undefined ? networkPool(options) : socketPool(options.socketPath);
}

function socketPool(socketPath: string): ConnectionPool {
  // Node's types leave out that options of an agent go on to net.connect.
  const options: AgentOptions & { readonly socketPath: string } = { keepAlive: true, maxSockets: 16, socketPath };
  const agent = new http.Agent(options);
  return {
    agentFor: () => Promise.resolve({ agent, request: http.request }),
    trustSystem: () => false,
    close: () => agent.destroy(),
  };
}

function networkPool(options: PoolOptions): ConnectionPool {
  const guarded = guardedLookup(options.addresses);
  const open = new Map<string, Promise<Connection>>();
  let system = false;
  return {
    agentFor: (url) => {
      const proxy = proxyFor(url, options.environment);
      const key = `${url.protocol} ${proxy ?? ''}`;
      const known = open.get(key);
      if (known !== undefined) return known;
      const base = {
        keepAlive: true,
        maxSockets: 16,
        ...(proxy === undefined ? { lookup: guarded } : { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } }),
      };
      const connection =
        url.protocol === 'https:'
          ? openSecure(base, options.tls, system)
          : Promise.resolve({ agent: new http.Agent(base), request: http.request });
      open.set(key, connection);
      return connection;
    },
    trustSystem: () => {
      if (system || options.tls?.verify === false) return false;
      system = true;
      for (const key of open.keys()) if (key.startsWith('https:')) open.delete(key);
      return true;
    },
    close: () => {
      for (const connection of open.values()) connection.then(({ agent }) => agent.destroy()).catch(() => undefined);
      open.clear();
    },
  };
}

/** Loaded when first needed: registries on loopback speak plain HTTP. */
async function openSecure(base: AgentOptions, trust: TlsTrust | undefined, system: boolean): Promise<Connection> {
  const [https, tls] = await Promise.all([import('node:https'), import('node:tls')]);
  const extra = [...(trust?.extraCertificates ?? []), ...(system ? tls.getCACertificates('system') : [])];
  const ca = extra.length === 0 ? {} : { ca: [...new Set([...tls.getCACertificates('default'), ...extra])] };
  return { agent: new https.Agent({ ...base, ...ca, rejectUnauthorized: trust?.verify ?? true }), request: https.request };
}

/** Refuses a name as soon as one of its addresses is refused: a mixed answer is how rebinding starts. */
function guardedLookup(addresses: AddressPolicy): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...lookupOptions(options), all: true }, (error, found) => {
      if (error !== null) return callback(error, '', 4);
      const refusal = refusalOf(hostname, found, addresses);
      const [first] = found;
      if (refusal !== undefined || first === undefined) return callback(refusal ?? notFound(hostname), '', 4);
      if (options.all === true) return callback(null, found);
      callback(null, first.address, first.family);
    });
  };
}

function lookupOptions(options: LookupOptions): LookupOptions {
  return {
    ...(options.family === undefined ? {} : { family: options.family }),
    ...(options.hints === undefined ? {} : { hints: options.hints }),
  };
}

function refusalOf(hostname: string, found: readonly LookupAddress[], addresses: AddressPolicy): HttpError | undefined {
  for (const { address } of found) {
    const refusal = addressRefusal(address, addresses);
    if (refusal !== undefined) return new HttpError('refused-address', `connections to ${hostname} are not allowed: ${refusal}`);
  }
  return undefined;
}

function notFound(hostname: string): HttpError {
  return new HttpError('unresolved', `the name ${hostname} has no address`);
}
