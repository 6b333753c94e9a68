import { FunctionFailure } from './failure.ts';
import { escapeBytes } from './functions/escapes.ts';
import { fromBytes, toBytes } from './go-string.ts';

/** The parts of a URL as Go's net/url names them. */
export interface GoUrl {
  readonly scheme: string;
  readonly opaque: string;
  /** `user:password`, escaped. */
  readonly userinfo: string | undefined;
  /** Host and port. */
  readonly host: string;
  /** Unescaped. */
  readonly path: string;
  /** The path as it was written, where that differs from how we would escape it. */
  readonly rawPath: string;
  readonly query: string;
  readonly forceQuery: boolean;
  /** Unescaped. */
  readonly fragment: string;
}

const ALLOWED = {
  path: /[A-Za-z0-9\-_.~$&+/:=@]/,
  host: /[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/,
  user: /[A-Za-z0-9\-_.~$&+,;=]/,
  fragment: /[A-Za-z0-9\-_.~$&+,/:;=?@!()*]/,
};

/** Bytes that a written path may hold unescaped. */
const WRITTEN_PATH = /^(?:[A-Za-z0-9\-_.~!$&'()*+,;=:@[\]/]|%[0-9a-fA-F]{2})*$/;

/**
 * Takes a URL apart as url.Parse does.
 * @throws FunctionFailure with Go's message
 */
export function parseUrl(text: string): GoUrl {
  const refuse = (reason: string): never => {
    throw new FunctionFailure(`unable to parse url: parse ${JSON.stringify(text)}: ${reason}`);
  };
  if (/\p{Cc}/u.test(text.replaceAll(/[\u0080-\u009f]/g, ''))) return refuse('net/url: invalid control character in URL');
  const hash = text.indexOf('#');
  const fragment = hash === -1 ? '' : unescapePart(text.slice(hash + 1), refuse);
  const { scheme, rest: afterScheme } = splitScheme(hash === -1 ? text : text.slice(0, hash), refuse);
  const forceQuery = afterScheme.endsWith('?') && afterScheme.indexOf('?') === afterScheme.length - 1;
  const question = forceQuery ? afterScheme.length - 1 : afterScheme.indexOf('?');
  const rest = question === -1 ? afterScheme : afterScheme.slice(0, question);
  const query = question === -1 ? '' : afterScheme.slice(question + 1);
  const common = { scheme, query, forceQuery, fragment };
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...common, opaque: rest, userinfo: undefined, host: '', path: '', rawPath: '' };
    if (rest.split('/', 1)[0]?.includes(':') === true) return refuse('first path segment in URL cannot contain colon');
  }
  return { ...common, opaque: '', ...authorityAndPath(rest, scheme, refuse) };
}

type Refuse = (reason: string) => never;

function splitScheme(text: string, refuse: Refuse): { readonly scheme: string; readonly rest: string } {
  if (text.startsWith(':')) return refuse('missing protocol scheme');
  const match = /^([A-Za-z][A-Za-z0-9+\-.]*):/.exec(text);
  if (match === null) return { scheme: '', rest: text };
  return { scheme: (match[1] ?? '').toLowerCase(), rest: text.slice(match[0].length) };
}

function authorityAndPath(rest: string, scheme: string, refuse: Refuse): Pick<GoUrl, 'userinfo' | 'host' | 'path' | 'rawPath'> {
  const hasAuthority = rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'));
  if (!hasAuthority) return { userinfo: undefined, host: '', ...pathParts(rest, refuse) };
  const slash = rest.indexOf('/', 2);
  const authority = rest.slice(2, slash === -1 ? undefined : slash);
  const at = authority.lastIndexOf('@');
  const host = parseHost(authority.slice(at + 1), refuse);
  const userinfo = at === -1 ? undefined : parseUserinfo(authority.slice(0, at), refuse);
  return { userinfo, host, ...pathParts(slash === -1 ? '' : rest.slice(slash), refuse) };
}

function pathParts(written: string, refuse: Refuse): Pick<GoUrl, 'path' | 'rawPath'> {
  const path = unescapePart(written, refuse);
  return { path, rawPath: escapeBytes(path, ALLOWED.path) === written ? '' : written };
}

function parseUserinfo(text: string, refuse: Refuse): string {
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(text)) return refuse('net/url: invalid userinfo');
  const colon = text.indexOf(':');
  const escaped = (part: string): string => escapeBytes(unescapePart(part, refuse), ALLOWED.user);
  return colon === -1 ? escaped(text) : `${escaped(text.slice(0, colon))}:${escaped(text.slice(colon + 1))}`;
}

function parseHost(text: string, refuse: Refuse): string {
  const bracket = text.startsWith('[') ? text.lastIndexOf(']') : -1;
  if (text.startsWith('[') && bracket === -1) return refuse("missing ']' in host");
  // Only an address in brackets may hold colons of its own.
  const colon = text.indexOf(':');
  const port = bracket !== -1 ? text.slice(bracket + 1) : colon === -1 ? '' : text.slice(colon);
  if (!/^(?::[0-9]*)?$/.test(port)) return refuse(`invalid port ${JSON.stringify(port)} after host`);
  const bad = /[^A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"%\u0080-\uffff]/.exec(text);
  if (bad !== null) return refuse(`invalid character ${JSON.stringify(bad[0])} in host name`);
  // In a host only bytes beyond ASCII may be escaped, in the zone of an address also `%25`.
  const wrong = /%(?![89a-fA-F][0-9a-fA-F])(?:25(?!.*\])|(?!25).{0,2})/.exec(text);
  if (wrong !== null) return refuse(`invalid URL escape ${JSON.stringify(text.slice(wrong.index, wrong.index + 3))}`);
  const address = bracket === -1 ? undefined : text.slice(1, bracket).split('%25', 1)[0];
  if (address !== undefined && !URL.canParse(`http://[${address}]/`))
    return refuse(`invalid host: ${JSON.stringify(address)} is no IPv6 address`);
  return unescapePart(text, refuse);
}

function unescapePart(text: string, refuse: Refuse): string {
  if (!text.includes('%')) return text;
  const bad = /%(?![0-9a-fA-F]{2})/.exec(text);
  if (bad !== null) return refuse(`invalid URL escape ${JSON.stringify(text.slice(bad.index, bad.index + 3))}`);
  return fromBytes(toBytes(text).replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))));
}

/** The host without its port and brackets. */
export function hostname({ host }: GoUrl): string {
  const colon = host.lastIndexOf(':');
  const named = colon !== -1 && /^:[0-9]*$/.test(host.slice(colon)) && !host.slice(colon).includes(']') ? host.slice(0, colon) : host;
  return named.startsWith('[') && named.endsWith(']') ? named.slice(1, -1) : named;
}

/** Puts a URL together as URL.String does. */
export function formatUrl(url: GoUrl): string {
  const scheme = url.scheme === '' ? '' : `${url.scheme}:`;
  const body = url.opaque === '' ? hierarchy(url) : url.opaque;
  const query = url.forceQuery || url.query !== '' ? `?${url.query}` : '';
  const fragment = url.fragment === '' ? '' : `#${escapeBytes(url.fragment, ALLOWED.fragment)}`;
  return scheme + body + query + fragment;
}

function hierarchy(url: GoUrl): string {
  const { scheme, host, userinfo } = url;
  const path = escapedPath(url);
  const hasAuthority = scheme !== '' || host !== '' || userinfo !== undefined;
  let text = '';
  if (hasAuthority && (host !== '' || url.path !== '' || userinfo !== undefined)) {
    text = `//${userinfo === undefined ? '' : `${userinfo}@`}${escapeHost(host)}`;
  }
  if (path !== '' && !path.startsWith('/') && host !== '') return `${text}/${path}`;
  if (text === '' && scheme === '' && path.split('/', 1)[0]?.includes(':') === true) return `./${path}`;
  return text + path;
}

function escapeHost(host: string): string {
  const zone = host.startsWith('[') ? host.indexOf('%') : -1;
  if (zone === -1) return escapeBytes(host, ALLOWED.host);
  return `${host.slice(0, zone)}%25${escapeBytes(host.slice(zone + 1, -1), ALLOWED.host)}]`;
}

function escapedPath(url: GoUrl): string {
  if (url.rawPath !== '' && WRITTEN_PATH.test(url.rawPath)) return url.rawPath;
  return url.path === '*' ? '*' : escapeBytes(url.path, ALLOWED.path);
}
