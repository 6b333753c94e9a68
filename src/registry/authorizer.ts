import { systemClock } from '../util/clock.ts';
import { parseChallenges } from './challenge.ts';
import type { RegistryEndpoint } from './endpoint.ts';
import { createSecretRedactor, type SecretRedactor } from './secret-redactor.ts';
import { type AuthorizerOptions, basicHeader, requestToken, type Scopes, type Token, type TokenRequest } from './token-request.ts';

/** Keeps what each registry wants as proof, and its tokens until they expire. */
export interface Authorizer {
  /** The header for a request, or undefined while nothing (or nothing but anonymous access) is known to be wanted. */
  header(endpoint: RegistryEndpoint, scopes: Scopes, signal: AbortSignal | undefined): Promise<string | undefined>;
  /** Learns from a 401. False when the same proof would only be given again. */
  challenged(
    endpoint: RegistryEndpoint,
    scopes: Scopes,
    refused: { readonly header: string | undefined; readonly wwwAuthenticate: string | undefined },
  ): Promise<boolean>;
  readonly redact: SecretRedactor['redact'];
}

type Mode = { readonly kind: 'basic' } | { readonly kind: 'bearer'; readonly realm: URL; readonly service: string };

export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const modes = new Map<string, Mode>();
  const redactor = createSecretRedactor();
  const tokens = createTokenCache(options, redactor);
  const basic = async (host: string, signal: AbortSignal | undefined): Promise<string | undefined> => {
    const credential = await options.credentials.forHost(host, signal);
    return credential?.kind === 'basic' ? basicHeader(credential, redactor) : undefined;
  };
  return {
    redact: redactor.redact,
    header: async (endpoint, scopes, signal) => {
      const mode = modes.get(endpoint.host);
      if (mode === undefined) return undefined;
      return mode.kind === 'basic' ? basic(endpoint.host, signal) : tokens.header({ endpoint, ...mode, scopes, signal });
    },
    challenged: async (endpoint, scopes, refused) => {
      const mode = modeOf(refused.wwwAuthenticate, endpoint);
      if (mode === undefined) return false;
      modes.set(endpoint.host, mode);
      if (mode.kind === 'basic') return (await basic(endpoint.host, undefined)) !== refused.header;
      await tokens.forget(endpoint.host, scopes, refused.header);
      return true;
    },
  };
}

interface TokenCache {
  header(request: TokenRequest): Promise<string>;
  /** Drops the token that was refused, unless another request has replaced it already. */
  forget(host: string, scopes: Scopes, header: string | undefined): Promise<void>;
}

function createTokenCache(options: AuthorizerOptions, redactor: SecretRedactor): TokenCache {
  const tokens = new Map<string, Promise<Token>>();
  const keyOf = (host: string, scopes: Scopes): string => [host, ...scopes].join(' ');
  const find = async (key: string): Promise<Token | undefined> => tokens.get(key)?.catch(() => undefined);
  return {
    header: async (request) => {
      const key = keyOf(request.endpoint.host, request.scopes);
      // No pause before the first request is kept: requests side by side share one token.
      const cached = tokens.has(key) ? await find(key) : undefined;
      if (cached !== undefined && cached.expiresAtMs > systemClock.monotonicMs()) return `Bearer ${cached.value}`;
      const asked = requestToken(request, options, redactor);
      tokens.set(key, asked);
      return `Bearer ${(await asked).value}`;
    },
    forget: async (host, scopes, header) => {
      const key = keyOf(host, scopes);
      const cached = await find(key);
      if (cached === undefined || `Bearer ${cached.value}` === header) tokens.delete(key);
    },
  };
}

function modeOf(wwwAuthenticate: string | undefined, endpoint: RegistryEndpoint): Mode | undefined {
  const challenge = parseChallenges(wwwAuthenticate);
  if (challenge?.scheme !== 'bearer') return challenge === undefined ? undefined : { kind: 'basic' };
  if (!URL.canParse(challenge.realm, endpoint.base)) return undefined;
  return { kind: 'bearer', realm: new URL(challenge.realm, endpoint.base), service: challenge.service };
}
