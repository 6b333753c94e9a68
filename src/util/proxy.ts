import { BlockList, isIP } from 'node:net';
import { classifyAddress } from './address-policy.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a URL by the usual variables (`http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`, in either case), or
 * undefined. Loopback never goes through a proxy.
 */
export function proxyFor(url: URL, environment: Environment): string | undefined {
  const scheme = url.protocol.slice(0, -1);
  const proxy = variable(environment, `${scheme}_proxy`) ?? variable(environment, 'all_proxy');
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (proxy === undefined || !/^https?:\/\//i.test(proxy) || !URL.canParse(proxy)) return undefined;
  if (host === 'localhost' || (isIP(host) !== 0 && classifyAddress(host) === 'loopback')) return undefined;
  const exceptions = (variable(environment, 'no_proxy') ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  return exceptions.some((entry) => covers(entry.toLowerCase(), host, url.port)) ? undefined : proxy;
}

function variable(environment: Environment, name: string): string | undefined {
  const value = environment[name] ?? environment[name.toUpperCase()];
  return value === undefined || value === '' ? undefined : value;
}

/** `*`, a range of addresses, or a host or domain (with or without its leading dot or `*.`) with an optional port. */
function covers(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return inRange(host, entry);
  const [, name = '', wantedPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const domain = name.replace(/^\*?\./, '').replace(/^\[|\]$/g, '');
  return host === domain || host.endsWith(`.${domain}`);
}

function inRange(host: string, range: string): boolean {
  const [address = '', prefix = ''] = range.split('/');
  const family = isIP(host);
  if (family === 0 || isIP(address) !== family || !/^\d{1,3}$/.test(prefix) || Number(prefix) > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  const name = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(address, Number(prefix), name);
  return list.check(host, name);
}
