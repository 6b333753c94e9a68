import { EngineError } from '../model/engine-error.ts';
import type { CredentialSource, RegistryCredential } from '../model/ports/credential-source.ts';
import { systemClock } from '../util/clock.ts';
import type { HttpRequest } from '../util/http.ts';
import { requestWithRetries } from '../util/http-retry.ts';
import type { RetryPolicy } from '../util/retry.ts';
import type { Endpoints, RegistryEndpoint } from './endpoint.ts';
import { realmRefusal } from './realm-policy.ts';
import type { SecretRedactor } from './secret-redactor.ts';

/** What a request needs: `repository:NAME:pull,push`, one entry for each repository. */
export type Scopes = readonly string[];

export interface AuthorizerOptions {
  readonly credentials: CredentialSource;
  readonly endpoints: Endpoints;
  readonly trustedRealms: readonly string[];
  readonly retry: RetryPolicy;
}

export interface Token {
  readonly value: string;
  readonly expiresAtMs: number;
}

export interface TokenRequest {
  readonly endpoint: RegistryEndpoint;
  readonly realm: URL;
  readonly service: string;
  readonly scopes: Scopes;
  readonly signal: AbortSignal | undefined;
}

/** Asks the realm of a Bearer challenge for a token. Rejects with EngineError, without credentials in it. */
export async function requestToken(request: TokenRequest, options: AuthorizerOptions, redactor: SecretRedactor): Promise<Token> {
  const { endpoint, realm } = request;
  const credential = await options.credentials.forHost(endpoint.host, request.signal);
  const refusal = credential === undefined ? undefined : realmRefusal(realm, endpoint, options.trustedRealms);
  if (refusal !== undefined) {
    throw new EngineError('registry-denied', `${endpoint.host} wants its credentials sent to ${realm.host}, which is refused: ${refusal}`, {
      help:
        realmRefusal(realm, endpoint, [realm.host]) === undefined
          ? `If ${realm.host} really is the token server of ${endpoint.host}, name it with \`--trusted-realm ${realm.host}\`.`
          : `No flag allows this; whoever runs ${endpoint.host} has to name another token server.`,
    });
  }
  const http = realm.host === new URL(endpoint.base).host ? endpoint.http : options.endpoints.strict;
  const response = await requestWithRetries(http, tokenRequest(request, credential, redactor), options.retry);
  const body = await response.text();
  if (response.status !== 200) throw tokenRefused(endpoint.host, realm.host, response.status, credential !== undefined);
  const token = readToken(body);
  if (token === undefined) throw new EngineError('registry-failed', `${realm.host} answered without a token for ${endpoint.host}`);
  redactor.add(token.value);
  return token;
}

function tokenRequest(
  { realm, service, scopes, signal }: TokenRequest,
  credential: RegistryCredential | undefined,
  redactor: SecretRedactor,
): HttpRequest {
  const limits = { signal, timeoutMs: 60_000, maxBytes: 1024 * 1024 };
  if (credential?.kind === 'identity-token') {
    redactor.add(credential.token);
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      service,
      client_id: 'slipway',
      scope: scopes.join(' '),
      refresh_token: credential.token,
    });
    // The token is in the body, which a redirect would carry anywhere.
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return { ...limits, method: 'POST', url: realm.href, headers, body: Buffer.from(form.toString()), redirects: 0 };
  }
  const url = new URL(realm);
  if (service !== '') url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (credential === undefined) return { ...limits, url: url.href };
  url.searchParams.set('account', credential.username);
  return { ...limits, url: url.href, headers: { authorization: basicHeader(credential, redactor) } };
}

function tokenRefused(host: string, realm: string, status: number, withCredentials: boolean): EngineError {
  if (status !== 401 && status !== 403 && status !== 400) {
    return new EngineError('registry-failed', `the token server ${realm} of ${host} answered with status ${status}`, {
      transient: status >= 500 || status === 429,
    });
  }
  const what = withCredentials ? `refused the credentials for ${host}` : `gives no anonymous access to ${host}`;
  return new EngineError('registry-denied', `the token server ${realm} ${what} (status ${status})`);
}

function readToken(body: string): Token | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const fields: Readonly<Record<string, unknown>> = { ...parsed };
  const value = fields['token'] ?? fields['access_token'];
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) return undefined;
  const seconds = typeof fields['expires_in'] === 'number' ? Math.max(fields['expires_in'], 60) : 60;
  // Renewed a little early, so that a token does not expire on its way.
  return { value, expiresAtMs: systemClock.monotonicMs() + seconds * 900 };
}

export function basicHeader(credential: RegistryCredential & { kind: 'basic' }, redactor: SecretRedactor): string {
  const pair = Buffer.from(`${credential.username}:${credential.password}`).toString('base64');
  redactor.add(credential.password, pair);
  return `Basic ${pair}`;
}
