import { err, ok, type Result } from '../util/result.ts';

/** A git remote that passed every check. `remote` is what git gets; it carries no credentials. */
export interface GitUrl {
  readonly scheme: 'https' | 'http' | 'ssh' | 'git' | 'file';
  readonly remote: string;
  /** Without brackets; empty for `file`. */
  readonly host: string;
  /** The port git will use; 0 for `file`. */
  readonly port: number;
  /** From the URL: `user:password@`, or a lone token (its user name is then `dummy`, as ACR has it). */
  readonly credentials?: { readonly username: string; readonly password: string };
}

const MAX_LENGTH = 2048;
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])$/i;
const SSH_USER = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
const DEFAULT_PORTS = { https: 443, http: 80, ssh: 22, git: 9418 } as const;

/**
 * Checks a git URL as a user wrote it: `https://`, `http://`, `ssh://`, `git://`, `user@host:path`, `github.com/…`, and
 * `file://` or an absolute path when `allowFile` is set. The error is one sentence without the URL's credentials.
 */
export function parseGitUrl(text: string, options: { readonly allowFile: boolean }): Result<GitUrl, string> {
  if (text.length > MAX_LENGTH) return err(`the URL is longer than ${MAX_LENGTH} characters`);
  // Control characters, blanks and backslashes read differently by URL parsers, git, ssh and shells.
  if (/[\p{Cc}\p{Cf}\p{Z}\\]/u.test(text)) return err('the URL contains blanks, control characters or backslashes');
  if (/%(?:[01][0-9a-f]|7f|5c|20)/i.test(text)) return err('the URL contains encoded blanks, control characters or backslashes');
  if (text.startsWith('-')) return err('the URL starts with "-"');
  if (/^[a-z0-9+.-]+::/i.test(text)) return err('remote helpers (`name::…`) are not allowed');
  if (/^github\.com\//i.test(text)) return parseAbsolute(`https://${text}`);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text))
    return text.toLowerCase().startsWith('file://') ? parseFile(text, options) : parseAbsolute(text);
  if (text.startsWith('/')) return parseFile(text, options);
  return parseScpLike(text);
}

/** Any `scheme://user:password@` in a text, made fit for messages. */
export function maskCredentials(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@'"]+(?::[^\s/'"]*)?@/gi, '$1<REDACTED>@');
}

function parseAbsolute(text: string): Result<GitUrl, string> {
  if (!URL.canParse(text)) return err('the URL is malformed');
  const url = new URL(text);
  const scheme = url.protocol.slice(0, -1).toLowerCase();
  if (scheme !== 'https' && scheme !== 'http' && scheme !== 'ssh' && scheme !== 'git') {
    return err(`the scheme "${scheme}" is not allowed (https, http, ssh or git)`);
  }
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(text)) return err('the URL has a query or a fragment');
  if (!HOST.test(url.hostname)) return err('the host name is malformed');
  if (url.pathname === '' || url.pathname === '/') return err('the URL names no repository');
  const common = {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? DEFAULT_PORTS[scheme] : Number(url.port),
  };
  if (scheme === 'https' || scheme === 'http') return ok({ scheme, ...common, remote: withoutCredentials(url), ...credentialsOf(url) });
  if (url.password !== '') return err(`a password in a ${scheme} URL is not supported`);
  if (scheme === 'git' && url.username !== '') return err('a user name in a git:// URL is not supported');
  if (url.username !== '' && !SSH_USER.test(url.username)) return err('the user name is malformed');
  if (url.pathname.startsWith('/-') || url.pathname.startsWith('/~-')) return err('the path starts with "-"');
  return ok({ scheme, ...common, remote: url.href });
}

function withoutCredentials(url: URL): string {
  const clean = new URL(url);
  clean.username = '';
  clean.password = '';
  return clean.href;
}

function credentialsOf(url: URL): { credentials?: { username: string; password: string } } {
  if (url.username === '' && url.password === '') return {};
  const username = decode(url.username);
  const password = decode(url.password);
  return { credentials: password === '' ? { username: 'dummy', password: username } : { username, password } };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function parseScpLike(text: string): Result<GitUrl, string> {
  const match = /^(?:([^@/:]+)@)?(\[[0-9a-f:.]+\]|[^@/:[\]]+):([^:].*)$/i.exec(text);
  if (match === null) return err('not a git URL (https://…, ssh://…, git://… or user@host:path)');
  const [, user, host = '', path = ''] = match;
  if (user !== undefined && !SSH_USER.test(user)) return err('the user name is malformed');
  if (/^(?:file|https?|ssh|git|ext|fd|ftps?)$/i.test(host)) return err(`"${host}:" has to be followed by "//"`);
  if (!HOST.test(host)) return err('the host name is malformed');
  if (path.startsWith('-') || path.startsWith('~-') || path.startsWith('/-')) return err('the path starts with "-"');
  if (/[?#]/.test(path)) return err('the URL has a query or a fragment');
  return ok({ scheme: 'ssh', remote: text, host: host.replace(/^\[|\]$/g, ''), port: DEFAULT_PORTS.ssh });
}

function parseFile(text: string, options: { readonly allowFile: boolean }): Result<GitUrl, string> {
  if (!options.allowFile) return err('repositories of the local file system are not allowed');
  const path = text.replace(/^file:\/\//i, '');
  if (!path.startsWith('/') || path.split('/').includes('..')) return err('the path of a file URL has to be absolute and without ".."');
  return ok({ scheme: 'file', remote: `file://${path}`, host: '', port: 0 });
}
