import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { Agent, request as httpRequest } from 'node:http';
import type { LookupFunction } from 'node:net';
import { type AddressPolicy, addressRefusal } from './address-policy.ts';
import { HttpError } from './http-error.ts';

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
  agentFor(url: URL): Promise<Connection>;
  /** From now on trusts the certificates of the operating system too; false when it did already or when nothing is verified. */
  trustSystem(): boolean;
  close(): void;
}

export function createConnectionPool(options: { readonly addresses: AddressPolicy; readonly tls?: TlsTrust }): ConnectionPool {
  const agentOptions = { keepAlive: true, maxSockets: 16, lookup: guardedLookup(options.addresses) };
  const plain: Connection = { agent: new Agent(agentOptions), request: httpRequest };
  let secure: Promise<Connection> | undefined;
  let system = false;
  const openSecure = async (): Promise<Connection> => {
    // Loaded when first needed: registries on loopback and most tests speak plain HTTP.
    const [https, tls] = await Promise.all([import('node:https'), import('node:tls')]);
    const extra = [...(options.tls?.extraCertificates ?? []), ...(system ? tls.getCACertificates('system') : [])];
    const trust = extra.length === 0 ? {} : { ca: [...new Set([...tls.getCACertificates('default'), ...extra])] };
    const agent = new https.Agent({ ...agentOptions, ...trust, rejectUnauthorized: options.tls?.verify ?? true });
    return { agent, request: https.request };
  };
  const current = (): Promise<Connection> => {
    secure ??= openSecure();
    return secure;
  };
  return {
    agentFor: async (url) => (url.protocol === 'https:' ? current() : plain),
    trustSystem: () => {
      if (system || options.tls?.verify === false) return false;
      system = true;
      secure = undefined;
      return true;
    },
    close: () => {
      plain.agent.destroy();
      secure?.then(({ agent }) => agent.destroy()).catch(() => undefined);
    },
  };
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
