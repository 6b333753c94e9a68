import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressRefusal, classifyAddress } from '../../src/util/address-policy.ts';

describe('classifyAddress', () => {
  it.each([
    ['8.8.8.8', 'public'],
    ['2606:4700::1111', 'public'],
    ['10.1.2.3', 'private'],
    ['172.31.255.255', 'private'],
    ['172.32.0.1', 'public'],
    ['192.168.0.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fd12::1', 'private'],
    ['127.0.0.1', 'loopback'],
    ['127.255.0.9', 'loopback'],
    ['0.0.0.0', 'loopback'],
    ['::1', 'loopback'],
    ['::', 'loopback'],
    ['169.254.169.254', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['[fe80::1]', 'link-local'],
    ['fd00:ec2::254', 'metadata'],
    ['100.100.100.200', 'metadata'],
    ['168.63.129.16', 'metadata'],
    ['224.0.0.1', 'unroutable'],
    ['255.255.255.255', 'unroutable'],
    ['ff02::1', 'unroutable'],
    ['::ffff:169.254.169.254', 'link-local'],
    ['::ffff:a9fe:a9fe', 'link-local'],
    ['0:0:0:0:0:ffff:127.0.0.1', 'loopback'],
    ['::127.0.0.1', 'loopback'],
    ['64:ff9b::a9fe:a9fe', 'link-local'],
    ['2002:a9fe:a9fe::1', 'link-local'],
    ['2002:0808:0808::1', 'public'],
  ] as const)('%s is %s', (address, kind) => {
    expect(classifyAddress(address)).toBe(kind);
  });

  it('sees through IPv4-mapped spellings of every IPv4 address', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(classifyAddress(`::ffff:${address}`)).toBe(classifyAddress(address));
        expect(classifyAddress(`64:ff9b::${address}`)).toBe(classifyAddress(address));
      }),
    );
  });
});

describe('addressRefusal', () => {
  it('never allows metadata and link-local addresses', () => {
    const open = { allowPrivate: true, allowLoopback: true };
    expect(addressRefusal('169.254.169.254', open)).toBe('169.254.169.254 is a link-local address');
    expect(addressRefusal('fd00:ec2::254', open)).toBe('fd00:ec2::254 is a metadata address');
    expect(addressRefusal('10.0.0.1', open)).toBeUndefined();
    expect(addressRefusal('127.0.0.1', open)).toBeUndefined();
  });
  it('follows the options for private and loopback addresses', () => {
    // The setting that would allow it is a part of the reason.
    expect(addressRefusal('10.0.0.1', { allowPrivate: false, allowLoopback: true })).toContain('`allowPrivateAddresses`');
    expect(addressRefusal('127.0.0.1', { allowPrivate: true, allowLoopback: false })).toContain('SLIPWAY_ALLOW_LOOPBACK_ADDRESSES=true');
  });
});
