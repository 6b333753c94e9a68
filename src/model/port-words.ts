import { isIP } from 'node:net';

/** docker's PortBindings and ExposedPorts. */
export interface PortSettings {
  readonly exposed: Readonly<Record<string, object>>;
  readonly bindings: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[]>>;
}

/** A word of `ports` or `expose` that docker would refuse. */
export class BadPort extends Error {}

/**
 * Reads `-p` words (`[[ip:][host]:]container[/protocol]`, each side a port or a range) and `--expose` words.
 * Throws BadPort.
 */
export function parsePorts(ports: readonly string[], expose: readonly string[]): PortSettings {
  const exposed: Record<string, object> = {};
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const word of expose) {
    const { range, protocol } = containerSide(word, word);
    for (const port of each(range)) exposed[`${port}/${protocol}`] = {};
  }
  for (const word of ports) {
    const { ip, host, container } = splitPublish(word);
    const { range, protocol } = containerSide(container, word);
    const hostRange = host === '' || host === '0' ? undefined : parseRange(host, word);
    const count = range.last - range.first + 1;
    const hostCount = hostRange === undefined ? 0 : hostRange.last - hostRange.first + 1;
    if (hostRange !== undefined && hostCount !== count && count !== 1) {
      throw new BadPort(`invalid port "${word}": the ranges have different lengths`);
    }
    for (const [index, port] of each(range).entries()) {
      const key = `${port}/${protocol}`;
      exposed[key] = {};
      bindings[key] ??= [];
      bindings[key].push({ HostIp: ip, HostPort: hostPort(hostRange, count, index) });
    }
  }
  return { exposed, bindings };
}

interface PortRange {
  readonly first: number;
  readonly last: number;
}

function hostPort(range: PortRange | undefined, count: number, index: number): string {
  if (range === undefined) return '';
  // One container port for a range of host ports: the engine picks a free one of the range.
  if (count === 1 && range.last > range.first) return `${range.first}-${range.last}`;
  return String(range.first + index);
}

function splitPublish(word: string): { readonly ip: string; readonly host: string; readonly container: string } {
  const bracketed = /^\[([^\]]*)\]:([^:]*):([^:]+)$/.exec(word);
  const parts = bracketed === null ? word.split(':') : [bracketed[1] ?? '', bracketed[2] ?? '', bracketed[3] ?? ''];
  const container = parts.pop() ?? '';
  const host = parts.pop() ?? '';
  const ip = parts.join(':');
  if (ip !== '' && isIP(ip) === 0) throw new BadPort(`invalid port "${word}": "${ip}" is no IP address`);
  return { ip, host, container };
}

function containerSide(text: string, word: string): { readonly range: PortRange; readonly protocol: string } {
  const [range = '', protocol = 'tcp', ...more] = text.split('/');
  const name = protocol.toLowerCase();
  if (more.length > 0 || !['tcp', 'udp', 'sctp'].includes(name))
    throw new BadPort(`invalid port "${word}": expected tcp, udp or sctp after "/"`);
  return { range: parseRange(range, word), protocol: name };
}

function parseRange(text: string, word: string): PortRange {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? first);
  if (match === null || first < 1 || last > 65_535 || last < first) {
    throw new BadPort(`invalid port "${word}": expected [[ip:][host]:]container[/protocol] with ports from 1 to 65535`);
  }
  return { first, last };
}

function each({ first, last }: PortRange): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
