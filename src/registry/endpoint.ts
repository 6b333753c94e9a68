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

/**
 * Decides once for each host between https and http: loopback hosts speak http unless they answer in TLS (then with a
 * trusted certificate), hosts named insecure https with any certificate, else http, and all others https.
 */
export function createEndpoints(options: EndpointOptions): Endpoints {
  const tls = { extraCertificates: options.extraCertificates };
  const strict = createHttpClient({ addresses: options.addresses, tls });
  const lax = createHttpClient({ addresses: options.addresses, tls: { verify: false } });
  const insecure = new Set(options.insecureRegistries.map((host) => host.toLowerCase()));
  const known = new Map<string, Promise<RegistryEndpoint>>();
  const own: HttpClient[] = [];
  /** A registry with certificates of its own gets a client of its own: they count for no other host. */
  const trusting = async (host: string): Promise<HttpClient> => {
    const certificates = await hostCertificates(host, options.certificateFolders);
    if (certificates.length === 0) return strict;
    const client = createHttpClient({
      addresses: options.addresses,
      tls: { extraCertificates: [...options.extraCertificates, ...certificates] },
    });
    own.push(client);
    return client;
  };

  const decide = async (host: string, signal: AbortSignal | undefined): Promise<RegistryEndpoint> => {
    if (host === DOCKER_HUB) return { host, base: 'https://registry-1.docker.io', http: strict };
    if (insecure.has(host)) {
      const secure = await speaks('https', host, lax, signal);
      return { host, base: `${secure ? 'https' : 'http'}://${host}`, http: lax };
    }
    if (isLoopback(host) && (await speaks('http', host, strict, signal))) return { host, base: `http://${host}`, http: strict };
    return { host, base: `https://${host}`, http: await trusting(host) };
  };
  return {
    strict,
    endpoint: (written, signal) => {
      const host = written.toLowerCase();
      const found = known.get(host);
      if (found !== undefined) return found;
      const decided = decide(host, signal).catch((error: unknown) => {
        known.delete(host);
        throw error;
      });
      known.set(host, decided);
      return decided;
    },
    close: () => {
      for (const client of [strict, lax, ...own]) client.close();
    },
  };
}

export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return name === 'localhost' || (/^[\d.]+$|:/.test(name) && classifyAddress(name) === 'loopback');
}

/** An HTTP server on a TLS port answers 400 or not at all; the question carries no credentials. */
async function speaks(scheme: 'http' | 'https', host: string, http: HttpClient, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    const response = await http.request({ url: `${scheme}://${host}/v2/`, timeoutMs: PROBE_MS, redirects: 0, signal });
    response.discard();
    return response.status !== 400;
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    if (error.kind === 'canceled' || error.kind === 'refused-address' || error.kind === 'unresolved') throw error;
    // A refused connection says nothing about the scheme, but the other scheme would be refused too.
    const refused = error.cause instanceof Error && 'code' in error.cause && error.cause.code === 'ECONNREFUSED';
    if (refused && scheme === 'http') throw error;
    return false;
  }
}
