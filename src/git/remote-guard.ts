import { EngineError } from '../model/engine-error.ts';
import { type AddressPolicy, addressRefusal } from '../util/address-policy.ts';
import { allowedAddresses } from '../util/allowed-addresses.ts';
import type { HttpClient } from '../util/http.ts';
import { HttpError } from '../util/http-error.ts';
import { requestWithRetries } from '../util/http-retry.ts';
import { proxyFor } from '../util/proxy.ts';
import type { GitUrl } from './git-url.ts';

/** A remote that may be spoken to: where it really is, and how git has to speak to it. */
export interface GuardedRemote {
  readonly remote: string;
  /** False for the dumb HTTP protocol, which knows no shallow fetch. */
  readonly shallow: boolean;
  /** Configuration that binds git to the checked address and carries the credentials. */
  readonly config: readonly (readonly [string, string])[];
}

export interface RemoteGuardOptions {
  readonly http: HttpClient;
  readonly addresses: AddressPolicy;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

const PROBE_RETRIES = { attempts: 3, baseMs: 500, capMs: 5000 };

/**
 * Checks where a remote leads. For HTTP it asks the server itself (`info/refs`), following and checking redirects here,
 * because git would follow them to anywhere; git is then bound to the addresses found. Behind a proxy only literal addresses
 * can be checked: the proxy resolves names.
 */
export async function guardRemote(url: GitUrl, options: RemoteGuardOptions): Promise<GuardedRemote> {
  if (url.scheme === 'file') return { remote: url.remote, shallow: true, config: [['protocol.file.allow', 'always']] };
  const literal = /^[\d.]+$|:/.test(url.host) ? addressRefusal(url.host, options.addresses) : undefined;
  if (literal !== undefined) throw refused(url.host, literal);
  if (url.scheme === 'ssh' || url.scheme === 'git') {
    await addressesOf(url.host, options);
    return { remote: url.remote, shallow: true, config: [] };
  }
  if (proxyFor(new URL(url.remote), options.environment) !== undefined) {
    return { remote: url.remote, shallow: true, config: [...credentialConfig(url, url.remote), ['http.followRedirects', 'initial']] };
  }
  const probe = await probeHttp(url, options);
  const target = new URL(probe.remote);
  const port = target.port === '' ? (target.protocol === 'https:' ? 443 : 80) : Number(target.port);
  const addresses = await addressesOf(target.hostname.replace(/^\[|\]$/g, ''), options);
  const pin: (readonly [string, string])[] =
    addresses.length === 0 ? [] : [['http.curloptResolve', `${target.hostname}:${port}:${addresses.join(',')}`]];
  return { remote: probe.remote, shallow: probe.smart, config: [...credentialConfig(url, probe.remote), ...pin] };
}

/** The header goes to the origin that the user named, and to no other. */
function credentialConfig(url: GitUrl, remote: string): readonly (readonly [string, string])[] {
  const { origin } = new URL(remote);
  if (url.credentials === undefined || origin !== new URL(url.remote).origin) return [];
  return [[`http.${origin}/.extraHeader`, `Authorization: ${basic(url.credentials)}`]];
}

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function probeHttp(url: GitUrl, options: RemoteGuardOptions): Promise<{ readonly remote: string; readonly smart: boolean }> {
  const base = url.remote.replace(/\/+$/, '');
  const suffix = '/info/refs?service=git-upload-pack';
  try {
    // Version 2 of the protocol: the answer is short, whatever the repository holds.
    const headers = { 'git-protocol': 'version=2', ...(url.credentials === undefined ? {} : { authorization: basic(url.credentials) }) };
    const request = { url: `${base}${suffix}`, headers, signal: options.signal, timeoutMs: 60_000 };
    const response = await requestWithRetries(options.http, request, PROBE_RETRIES);
    response.discard();
    if (response.status >= 400) throw statusError(response.status, url.host);
    const found = response.url.endsWith(suffix) ? response.url.slice(0, -suffix.length) : base;
    return { remote: found, smart: response.headers['content-type'] === 'application/x-git-upload-pack-advertisement' };
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    if (error.kind === 'refused-address' || error.kind === 'refused-redirect')
      throw new EngineError('context-rejected', error.message, { cause: error });
    throw new EngineError('context-failed', `cannot reach the git server: ${error.message}`, { cause: error, transient: error.transient });
  }
}

function statusError(status: number, host: string): EngineError {
  if (status === 401 || status === 403) {
    return new EngineError('context-failed', `${host} refused access to the repository (status ${status})`, {
      help: 'Check that the repository exists and the token in the URL (`https://TOKEN@host/…`) may read it.',
    });
  }
  const words =
    status === 404 ? 'has no such repository, or does not show it without credentials (status 404)' : `answered with status ${status}`;
  return new EngineError('context-failed', `${host} ${words}`, { transient: status >= 500 });
}

/** Checked addresses of a name; none for a name that only ssh's own configuration knows. */
async function addressesOf(host: string, options: RemoteGuardOptions): Promise<readonly string[]> {
  const found = await allowedAddresses(host, options.addresses);
  if (found.refusal !== undefined) throw refused(host, found.refusal);
  return found.addresses;
}

function refused(host: string, reason: string): EngineError {
  return new EngineError('context-rejected', `connections to ${host} are not allowed: ${reason}`);
}
