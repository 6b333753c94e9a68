import { EngineError } from '../../model/engine-error.ts';

/** Where a repository is, as its forge's API needs it. */
export interface RepositoryAddress {
  /** Lower case, without port. */
  readonly host: string;
  /** Where the web server of the forge is: `https://host[:port]`; of ssh URLs the https server of that host. */
  readonly origin: string;
  /** The decoded parts of the path, the last without `.git`. At least one. */
  readonly path: readonly string[];
}

const SCP = /^(?:[^@/:]+@)?([a-z0-9][a-z0-9.-]*|\[[0-9a-f:.]+\]):(?!\/\/)(.+)$/i;
/** Hosts where forges take ssh on port 443. */
const WEB_HOSTS: Readonly<Record<string, string>> = {
  'ssh.github.com': 'github.com',
  'www.github.com': 'github.com',
  'altssh.gitlab.com': 'gitlab.com',
  'altssh.bitbucket.org': 'bitbucket.org',
};

/** Reads a git URL of any kind that forges give out. Rejects what is on no server (`file:`, paths) with EngineError `forge-failed`. */
export function parseRepositoryAddress(url: string): RepositoryAddress {
  const text = /^github\.com\//i.test(url) ? `https://${url}` : url;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return absolute(text);
  const scp = SCP.exec(text);
  if (scp === null) throw notOnForge(url);
  return absolute(`ssh://${scp[1] ?? ''}/${scp[2] ?? ''}`);
}

function absolute(text: string): RepositoryAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^(?:https?|ssh|git):$/.test(url.protocol) || url.hostname === '') throw notOnForge(text);
  const path = url.pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decoded);
  const last = path.pop()?.replace(/(?<=.)\.git$/i, '');
  if (last === undefined) throw notOnForge(text);
  const named = url.hostname.toLowerCase();
  const host = WEB_HOSTS[named] ?? named;
  const web = /^https?:$/.test(url.protocol) ? `${url.protocol}//${url.host.replace(url.hostname, host)}` : `https://${host}`;
  return { host, origin: web, path: [...path, last] };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** A path of a URL from parts that are not yet encoded. */
export function pathOf(...parts: readonly string[]): string {
  return parts.map((part) => `/${encodeURIComponent(part)}`).join('');
}

/** The URL itself may carry a password and is not repeated. */
export function notOnForge(url: string): EngineError {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1];
  const what = scheme === undefined ? 'its URL names no server' : `a URL with ${scheme}:// was given`;
  return new EngineError('forge-failed', `the repository is on no forge whose API could be asked: ${what}`, {
    help: 'Give the repository by the https or ssh URL under which its forge serves it.',
  });
}
