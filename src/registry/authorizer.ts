import { systemClock } from '../util/clock.ts';
import { parseChallenges } from './challenge.ts';
import type { RegistryEndpoint } from './endpoint.ts';
import { createSecretRedactor, type SecretRedactor } from './secret-redactor.ts';
import { type AuthorizerOptions, basicHeader, requestToken, type Scopes, type Token } from './token-request.ts';

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
  const tokens = new Map<string, Promise<Token>>();
  const redactor = createSecretRedactor();

  const bearer = async (
    endpoint: RegistryEndpoint,
    mode: Mode & { kind: 'bearer' },
    scopes: Scopes,
    signal: AbortSignal | undefined,
  ): Promise<string> => {
    const key = [endpoint.host, ...scopes].join(' ');
    const cached = await tokens.get(key)?.catch(() => undefined);
    if (cached !== undefined && cached.expiresAtMs > systemClock.monotonicMs()) return `Bearer ${cached.value}`;
    const asked = requestToken({ endpoint, ...mode, scopes, signal }, options, redactor);
    tokens.set(key, asked);
    asked.catch(() => tokens.delete(key));
    return `Bearer ${(await asked).value}`;
  };

  return {
    redact: redactor.redact,
    header: async (endpoint, scopes, signal) => {
      const mode = modes.get(endpoint.host);
      if (mode === undefined) return undefined;
      if (mode.kind === 'bearer') return bearer(endpoint, mode, scopes, signal);
      const credential = await options.credentials.forHost(endpoint.host);
      if (credential?.kind !== 'basic') return undefined;
      return basicHeader(credential, redactor);
    },
    challenged: async (endpoint, scopes, refused) => {
      const mode = modeOf(refused.wwwAuthenticate, endpoint);
      if (mode === undefined) return false;
      modes.set(endpoint.host, mode);
      tokens.delete([endpoint.host, ...scopes].join(' '));
      if (mode.kind === 'bearer') return true;
      const credential = await options.credentials.forHost(endpoint.host);
      return credential?.kind === 'basic' && basicHeader(credential, redactor) !== refused.header;
    },
  };
}

function modeOf(wwwAuthenticate: string | undefined, endpoint: RegistryEndpoint): Mode | undefined {
  const challenge = parseChallenges(wwwAuthenticate);
  if (challenge?.scheme !== 'bearer') return challenge === undefined ? undefined : { kind: 'basic' };
  if (!URL.canParse(challenge.realm, endpoint.base)) return undefined;
  return { kind: 'bearer', realm: new URL(challenge.realm, endpoint.base), service: challenge.service };
}
