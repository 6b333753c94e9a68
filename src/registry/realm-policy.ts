import { isIP } from 'node:net';
import { DOCKER_HUB } from '../model/image-reference.ts';
import { isLoopback } from './endpoint.ts';

/** Token servers of registries whose token server lives under another name. */
const WELL_KNOWN: Readonly<Record<string, readonly string[]>> = {
  [DOCKER_HUB]: ['auth.docker.io'],
  'nvcr.io': ['authn.nvidia.com'],
  'registry.redhat.io': ['sso.redhat.com'],
  'registry.connect.redhat.com': ['sso.redhat.com'],
  'container-registry.oracle.com': ['container-registry.oracle.com'],
  'cgr.dev': ['issuer.enforce.dev'],
};

/** Domains whose subdomains belong to different owners, so that a common parent says nothing. */
const SHARED_DOMAINS = new Set([
  'azurecr.io',
  'amazonaws.com',
  'pkg.dev',
  'github.io',
  'gitlab.io',
  'co.uk',
  'com.au',
  'co.jp',
  'com.br',
  'com.cn',
  'azurewebsites.net',
  'herokuapp.com',
  'ngrok.io',
  'run.app',
  'vercel.app',
  'pages.dev',
  'workers.dev',
]);

/**
 * Why a registry's credentials may not be sent to the realm it names, or undefined when they may: the realm is the
 * registry's own host, a host beneath the registry's parent domain, a well-known token server or one the user trusts; and
 * it speaks https unless the registry itself does not.
 */
export function realmRefusal(
  realm: URL,
  registry: { readonly host: string; readonly base: string },
  trusted: readonly string[],
): string | undefined {
  const secure = registry.base.startsWith('https:');
  if (realm.protocol !== 'https:' && (secure || realm.protocol !== 'http:')) return 'it does not speak https';
  if (realm.username !== '' || realm.password !== '') return 'its URL carries credentials';
  const host = realm.hostname;
  const own = new URL(registry.base).hostname;
  if (host === own || trusted.includes(host) || trusted.includes(realm.host)) return undefined;
  if (WELL_KNOWN[registry.host]?.includes(host) === true) return undefined;
  if (isLoopback(own) && isLoopback(host)) return undefined;
  return isRelated(host, own) ? undefined : 'it belongs to another domain';
}

function isRelated(realm: string, registry: string): boolean {
  if (isIP(registry.replace(/^\[|\]$/g, '')) !== 0) return false;
  const parent = registry.split('.').slice(1).join('.');
  if (!parent.includes('.') || SHARED_DOMAINS.has(parent)) return realm.endsWith(`.${registry}`);
  return realm === parent || realm.endsWith(`.${parent}`);
}
