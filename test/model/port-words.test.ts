import { describe, expect, it } from 'vitest';
import { BadPort, parsePorts } from '../../src/model/port-words.ts';

describe('ports', () => {
  it.each([
    ['80', { '80/tcp': [['', '']] }],
    ['8080:80', { '80/tcp': [['', '8080']] }],
    ['0:80', { '80/tcp': [['', '']] }],
    ['127.0.0.1:8080:80/UDP', { '80/udp': [['127.0.0.1', '8080']] }],
    ['127.0.0.1::80', { '80/tcp': [['127.0.0.1', '']] }],
    ['[::1]:8080:80', { '80/tcp': [['::1', '8080']] }],
    ['90-91:80-81', { '80/tcp': [['', '90']], '81/tcp': [['', '91']] }],
    ['90-99:80', { '80/tcp': [['', '90-99']] }],
  ])('reads %s', (word, expected) => {
    const { bindings, exposed } = parsePorts([word], []);
    const pairs = Object.entries(bindings).map(([port, list]) => [port, list.map(({ HostIp, HostPort }) => [HostIp, HostPort])]);
    expect(Object.fromEntries(pairs)).toEqual(expected);
    expect(Object.keys(exposed)).toEqual(Object.keys(expected));
  });

  it('collects bindings of one port and exposes ranges', () => {
    expect(parsePorts(['1:80', '2:80'], []).bindings['80/tcp']).toHaveLength(2);
    expect(Object.keys(parsePorts([], ['70-72/udp']).exposed)).toEqual(['70/udp', '71/udp', '72/udp']);
  });

  it.each(['', 'http', '1:2:3:4', 'host:1:2', '0', '65536', '9-8', '1-2:80-82', '80/icmp', '80/tcp/udp', '-1:80'])(
    'refuses "%s"',
    (word) => {
      expect(() => parsePorts([word], [])).toThrow(BadPort);
    },
  );
});
