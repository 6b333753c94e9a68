import { DOCKER_HUB } from '../model/image-reference.ts';
import { type AddressPolicy, classifyAddress } from '../util/address-policy.ts';
import { createHttpClient, type HttpClient } from '../util/http.ts';
import { HttpError } from '../util/http-error.ts';
import { hostCertificates } from './host-certificates.ts';

/** Where a registry is spoken to, and by which client. */
export interface RegistryEndpoint {
  /** As in references and credentials: `host[:port]`, Docker Hub is `docker.io`. */
  readonly host: string;
  /** `https://registry-1.docker.io`; without a slash at its end. */
  readonly base: string;
  readonly http: HttpClient;
}

export interface EndpointOptions {
  readonly addresses: AddressPolicy;
  /** `host[:port]` of registries that may speak plain HTTP or show any certificate. */
  readonly insecureRegistries: readonly string[];
  /** PEM certificates trusted besides the machine's. */
  readonly extraCertificates: readonly string[];
  /** Folders with certificates for single registries, as `HOST/ca.crt`. */
  readonly certificateFolders: readonly string[];
}

export interface Endpoints {
  endpoint(host: string, signal: AbortSignal | undefined): Promise<RegistryEndpoint>;
  /** The client for other servers than the registry itself: certificates are always verified. */
  readonly strict: HttpClient;
  close(): void;
}

const PROBE_MS = 10_000;

interface Clients {
  readonly strict: HttpClient;
  readonly lax: HttpClient;
  /** A registry with certificates of its own gets a client of its own: they count for no other host. */
  trusting(host: string): Promise<HttpClient>;
  close(): void;
}

/** `certain` is false while nobody answered: the next request asks again. */
interface Decision {
  readonly endpoint: RegistryEndpoint;
  readonly certain: boolean;
}

/**
 * Decides once for each host between https and http: loopback hosts speak http unless they answer in TLS (then with a
 * trusted certificate), hosts named insecure https with any certificate, else http, and all others https.
 */
export function createEndpoints(options: EndpointOptions): Endpoints {
  const clients = createClients(options);
  const insecure = new Set(options.insecureRegistries.map((host) => host.toLowerCase()));
  const known = new Map<string, Promise<Decision>>();
  return {
    strict: clients.strict,
    endpoint: async (written, signal) => {
      const host = written.toLowerCase();
      let asked = known.get(host);
      if (asked === undefined) {
        // Without the signal of the one who asks first: the others want the answer too.
        asked = decide(host, insecure.has(host), clients);
        known.set(host, asked);
        asked.then(
          ({ certain }) => certain || known.delete(host),
          () => known.delete(host),
        );
      }
      return (await untilAborted(asked, host, signal)).endpoint;
    },
    close: () => clients.close(),
  };
}

function createClients({ addresses, extraCertificates, certificateFolders }: EndpointOptions): Clients {
  const strict = createHttpClient({ addresses, tls: { extraCertificates } });
  const lax = createHttpClient({ addresses, tls: { verify: false } });
  const own: HttpClient[] = [];
  return {
    strict,
    lax,
    trusting: async (host) => {
      const certificates = await hostCertificates(host, certificateFolders);
      if (certificates.length === 0) return strict;
      const client = createHttpClient({ addresses, tls: { extraCertificates: [...extraCertificates, ...certificates] } });
      own.push(client);
      return client;
    },
    close: () => {
      for (const client of [strict, lax, ...own]) client.close();
    },
  };
}

async function decide(host: string, insecure: boolean, clients: Clients): Promise<Decision> {
  if (host === DOCKER_HUB) return { endpoint: { host, base: 'https://registry-1.docker.io', http: clients.strict }, certain: true };
  if (insecure) {
    const answer = await speaks('https', host, clients.lax);
    return {
      endpoint: { host, base: `${answer === 'yes' ? 'https' : 'http'}://${host}`, http: clients.lax },
      certain: answer !== 'nobody',
    };
  }
  const answer = isLoopback(host) ? await speaks('http', host, clients.strict) : 'no';
  if (answer !== 'no') return { endpoint: { host, base: `http://${host}`, http: clients.strict }, certain: answer === 'yes' };
  return { endpoint: { host, base: `https://${host}`, http: await clients.trusting(host) }, certain: true };
}

function untilAborted<T>(promise: Promise<T>, host: string, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(new HttpError('canceled', `the request to ${host} was cancelled`, { cause: signal.reason }));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', abort));
}

export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return name === 'localhost' || (/^[\d.]+$|:/.test(name) && classifyAddress(name) === 'loopback');
}

/** An HTTP server on a TLS port answers 400 or breaks off; the question carries no credentials. */
async function speaks(scheme: 'http' | 'https', host: string, http: HttpClient): Promise<'yes' | 'no' | 'nobody'> {
  try {
    const response = await http.request({ url: `${scheme}://${host}/v2/`, timeoutMs: PROBE_MS, redirects: 0 });
    response.discard();
    return response.status === 400 ? 'no' : 'yes';
  } catch (error) {
    if (!(error instanceof HttpError) || error.kind === 'refused-address') throw error;
    const code = error.cause instanceof Error && 'code' in error.cause ? error.cause.code : undefined;
    return error.kind === 'unresolved' || error.kind === 'timeout' || code === 'ECONNREFUSED' ? 'nobody' : 'no';
  }
}
