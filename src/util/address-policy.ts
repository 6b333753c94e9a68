import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** Which addresses of this network a client may speak to. Link-local and cloud metadata addresses are never allowed. */
export interface AddressPolicy {
  /** 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7. */
  readonly allowPrivate: boolean;
  /** 127/8, ::1 and the unspecified address. */
  readonly allowLoopback: boolean;
}

export type AddressClass = 'public' | 'private' | 'loopback' | 'link-local' | 'metadata' | 'unroutable';

function blockList(...ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix = ''] = range.split('/');
    list.addSubnet(address, Number(prefix), address.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}

// Instance metadata and host agents that live outside the link-local range: AWS (IPv6), Alibaba, Azure, Oracle.
const METADATA = blockList('fd00:ec2::/32', '100.100.100.200/32', '168.63.129.16/32', '192.0.0.192/32');
const LINK_LOCAL = blockList('169.254.0.0/16', 'fe80::/10');
const LOOPBACK = blockList('127.0.0.0/8', '0.0.0.0/8', '::/127');
const PRIVATE = blockList('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fec0::/10', '198.18.0.0/15');
const UNROUTABLE = blockList('192.0.0.0/24', '224.0.0.0/4', '240.0.0.0/4', 'ff00::/8', '100::/64');

/** The class of an IP address; IPv4 inside IPv6 (mapped, compatible, NAT64, 6to4) counts as that IPv4 address. */
export function classifyAddress(address: string): AddressClass {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const embedded = embeddedIPv4(bare);
  if (embedded !== undefined) return classifyAddress(embedded);
  const family = isIPv4(bare) ? 'ipv4' : 'ipv6';
  if (METADATA.check(bare, family)) return 'metadata';
  if (LINK_LOCAL.check(bare, family)) return 'link-local';
  if (LOOPBACK.check(bare, family)) return 'loopback';
  if (UNROUTABLE.check(bare, family)) return 'unroutable';
  return PRIVATE.check(bare, family) ? 'private' : 'public';
}

/** Why the policy refuses an address, or undefined when it allows it. */
export function addressRefusal(address: string, policy: AddressPolicy): string | undefined {
  const kind = classifyAddress(address);
  if (kind === 'public' || (kind === 'private' && policy.allowPrivate) || (kind === 'loopback' && policy.allowLoopback)) return undefined;
  return `${address} is a ${kind} address${allowedBy(kind)}`;
}

/** Who reads it may be far from the daemon that refused: the setting is a part of the reason. Other kinds are allowed by none. */
function allowedBy(kind: AddressClass): string {
  if (kind === 'loopback') return ', which only the setting `allowLoopbackAddresses` allows (SLIPWAY_ALLOW_LOOPBACK_ADDRESSES=true)';
  return kind === 'private' ? ', which only the setting `allowPrivateAddresses` allows (SLIPWAY_ALLOW_PRIVATE_ADDRESSES=true)' : '';
}

function embeddedIPv4(address: string): string | undefined {
  // Node's expression for IPv6 takes 5 ms to compile: the colon spares most programs that.
  if (!address.includes(':') || !isIPv6(address)) return undefined;
  const groups = expandIPv6(address);
  const [g0 = 0, g1 = 0, g2 = 0, , , g5 = 0, g6 = 0, g7 = 0] = groups;
  const leadingZeros = groups.findIndex((group) => group !== 0);
  const mapped = leadingZeros === 5 && g5 === 0xffff;
  const compatible = leadingZeros === 6;
  const nat64 = g0 === 0x64 && g1 === 0xff9b;
  if (mapped || compatible || nat64) return dotted(g6, g7);
  return g0 === 0x2002 ? dotted(g1, g2) : undefined;
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

function expandIPv6(address: string): readonly number[] {
  const quad = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const text =
    quad === null
      ? address
      : address.slice(0, quad.index) +
        [(Number(quad[1]) << 8) | Number(quad[2]), (Number(quad[3]) << 8) | Number(quad[4])].map((group) => group.toString(16)).join(':');
  const [head = '', tail] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(zeros).fill('0'), ...right].map((group) => Number.parseInt(group, 16));
}
