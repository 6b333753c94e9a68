import { describe, expect, it } from 'vitest';
import { type ContainerPlace, containerConfig } from '../../src/container/container-config.ts';
import { BadOption } from '../../src/container/host-config.ts';
import { BadMount } from '../../src/container/mount-words.ts';
import type { ContainerSpec, DockerRunFlags } from '../../src/model/plan.ts';
import { request } from '../contract/run-spec.ts';

const place: ContainerPlace = {
  labels: { 'dev.slipway.run': 'r' },
  networkMode: 'net',
  aliases: ['a'],
  ownPorts: true,
  mounts: [
    ['work', '/workspace'],
    ['home', '/acb/home', 'nocopy'],
  ],
  names: { volume: (name) => (name === 'secret' ? 'run-secret' : name), container: (name) => (name === 'web' ? 'id-of-web' : name) },
  logConfig: { Type: 'none' },
  init: false,
  limits: {},
  environment: { HOST: 'h' },
};

interface Body extends Record<string, unknown> {
  readonly HostConfig: Record<string, unknown>;
}

function body(container: Partial<ContainerSpec>, overrides: Partial<ContainerPlace> = {}): Body {
  return containerConfig(request('a', container), { ...place, ...overrides }) as Body;
}

const flag = (extra: DockerRunFlags): Body => body({ extra });

describe('the container of a step', () => {
  it('is what docker run would ask for', () => {
    const spec = { args: ['x', 'y'], env: ['HOME=/acb/home', 'A=1', 'A=2', 'HOST', 'GONE'], user: 'u', cpus: '1.5', privileged: true };
    expect(body({ ...spec, ports: ['8080:80'], expose: ['99/udp'], volumeMounts: [{ name: 'secret', mountPath: '/s' }] })).toEqual({
      Image: 'busybox:local',
      Cmd: ['x', 'y'],
      Env: ['HOME=/acb/home', 'A=2', 'HOST=h'],
      WorkingDir: '/workspace',
      User: 'u',
      AttachStdout: true,
      AttachStderr: true,
      Labels: { 'dev.slipway.run': 'r' },
      ExposedPorts: { '80/tcp': {}, '99/udp': {} },
      HostConfig: {
        NetworkMode: 'net',
        Binds: ['work:/workspace', 'home:/acb/home:nocopy', 'run-secret:/s'],
        PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] },
        Privileged: true,
        NanoCpus: 1_500_000_000,
        LogConfig: { Type: 'none' },
      },
      NetworkingConfig: { EndpointsConfig: { net: { Aliases: ['a'] } } },
    });
  });

  it('leaves ports to the holder of its lane and logs to the engine where they are wanted', () => {
    const inLane = body({ ports: ['80'] }, { ownPorts: false, aliases: [], logConfig: undefined });
    expect(inLane['ExposedPorts']).toBeUndefined();
    expect(inLane.HostConfig).toEqual({ NetworkMode: 'net', Binds: ['work:/workspace', 'home:/acb/home:nocopy'] });
    expect(inLane['NetworkingConfig']).toBeUndefined();
  });

  it('has no more than the limits of the run, and less where it asks for less', () => {
    const limits = { pids: 4096, memoryBytes: 1024 ** 3, cpus: 2 };
    const limited = (container: Partial<ContainerSpec>): Record<string, unknown> => {
      const { PidsLimit, Memory, MemorySwap, NanoCpus } = body(container, { limits }).HostConfig;
      return { PidsLimit, Memory, MemorySwap, NanoCpus };
    };
    const most = { PidsLimit: 4096, Memory: 1024 ** 3, MemorySwap: 1024 ** 3, NanoCpus: 2e9 };
    expect(limited({})).toEqual(most);
    expect(limited({ cpus: '64', extra: { pidsLimit: -1, memory: '2g', memorySwap: '-1' } })).toEqual(most);
    const less = { PidsLimit: 10, Memory: 1024 ** 2, MemorySwap: 2 * 1024 ** 2, NanoCpus: 5e8 };
    expect(limited({ cpus: '0.5', extra: { pidsLimit: 10, memory: '1m', memorySwap: '2m' } })).toEqual(less);
  });

  it("has the engine's init where the run wants one and the author does not say otherwise", () => {
    const init = (extra: DockerRunFlags): unknown => body({ extra }, { init: true }).HostConfig['Init'];
    expect([init({}), init({ init: false }), init({ pid: 'container:web' }), body({}).HostConfig['Init']]).toEqual([
      true,
      false,
      undefined,
      undefined,
    ]);
  });

  it('gives way to mounts of the author', () => {
    const { HostConfig } = flag({ volumes: ['/data:/workspace/', 'secret:/s:ro', '/anonymous'], tmpfs: ['/acb/home'] });
    expect(HostConfig['Binds']).toEqual(['/data:/workspace/', 'run-secret:/s:ro']);
    expect(flag({ volumes: ['/anonymous'] })['Volumes']).toEqual({ '/anonymous': {} });
  });

  it.each<[DockerRunFlags, object]>([
    [
      { memory: '512m', memorySwap: '-1', shmSize: '64kb' },
      { Memory: 536_870_912, MemorySwap: -1, ShmSize: 65_536 },
    ],
    [
      { init: true, readOnly: true, cpuShares: 2, cpusetCpus: '0', pidsLimit: 9 },
      { Init: true, ReadonlyRootfs: true, CpuShares: 2, CpusetCpus: '0', PidsLimit: 9 },
    ],
    [
      { ulimits: ['nofile=1:2', 'core=-1'] },
      {
        Ulimits: [
          { Name: 'nofile', Soft: 1, Hard: 2 },
          { Name: 'core', Soft: -1, Hard: -1 },
        ],
      },
    ],
    [
      { capAdd: ['NET_ADMIN'], capDrop: ['ALL'], securityOpt: ['seccomp=unconfined'] },
      { CapAdd: ['NET_ADMIN'], CapDrop: ['ALL'], SecurityOpt: ['seccomp=unconfined'] },
    ],
    [
      { devices: ['/dev/a', '/dev/b:/dev/c', '/dev/d:r', '/dev/e:/dev/f:rw'] },
      {
        Devices: [
          { PathOnHost: '/dev/a', PathInContainer: '/dev/a', CgroupPermissions: 'rwm' },
          { PathOnHost: '/dev/b', PathInContainer: '/dev/c', CgroupPermissions: 'rwm' },
          { PathOnHost: '/dev/d', PathInContainer: '/dev/d', CgroupPermissions: 'r' },
          { PathOnHost: '/dev/e', PathInContainer: '/dev/f', CgroupPermissions: 'rw' },
        ],
      },
    ],
    [
      { dns: ['1.1.1.1'], addHost: ['h:1.2.3.4'], groupAdd: ['g'], runtime: 'runc' },
      { Dns: ['1.1.1.1'], ExtraHosts: ['h:1.2.3.4'], GroupAdd: ['g'], Runtime: 'runc' },
    ],
    [
      { tmpfs: ['/t:size=1m', '/u'], sysctls: ['net.a=1'] },
      { Tmpfs: { '/t': 'size=1m', '/u': '' }, Sysctls: { 'net.a': '1' } },
    ],
    [
      { volumesFrom: ['web:ro', 'other'], pid: 'container:web', ipc: 'host' },
      { VolumesFrom: ['id-of-web:ro', 'other'], PidMode: 'container:id-of-web', IpcMode: 'host' },
    ],
    [
      {
        mounts: [
          'type=bind,src=/a,dst=/b,readonly',
          '"type=volume","source=secret",target=/s,volume-nocopy',
          'type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=700',
        ],
      },
      {
        Mounts: [
          { Type: 'bind', Source: '/a', Target: '/b', ReadOnly: true },
          { Type: 'volume', Source: 'run-secret', Target: '/s', VolumeOptions: { NoCopy: true } },
          { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1_048_576, Mode: 0o700 } },
        ],
      },
    ],
  ])('passes %j on', (flags, expected) => {
    expect(flag(flags).HostConfig).toMatchObject(expected);
  });

  it('passes on flags that belong to the container itself', () => {
    expect(flag({ tty: true, hostname: 'h', stopSignal: 'SIGINT', labels: ['a=b=c', 'd'] })).toMatchObject({
      Tty: true,
      Hostname: 'h',
      StopSignal: 'SIGINT',
      Labels: { a: 'b=c', d: '', 'dev.slipway.run': 'r' },
    });
  });

  it.each<[Partial<ContainerSpec>, typeof BadOption | typeof BadMount, string]>([
    [{ isolation: 'hyperv' }, BadOption, 'Windows'],
    [{ cpus: '0' }, BadOption, 'invalid cpus "0"'],
    [{ extra: { labels: ['dev.slipway.run=x'] } }, BadOption, 'reserved'],
    [{ extra: { memory: 'much' } }, BadOption, 'invalid --memory "much"'],
    [{ extra: { ulimits: ['nofile'] } }, BadOption, 'NAME=SOFT[:HARD]'],
    [{ extra: { devices: ['sda'] } }, BadOption, 'invalid --device "sda"'],
    [{ extra: { securityOpt: ['seccomp=/etc/passwd'] } }, BadOption, 'names a file'],
    [{ extra: { mounts: ['type=bind,target=/a'] } }, BadMount, 'needs a source'],
    [{ extra: { mounts: ['target=a'] } }, BadMount, 'absolute path'],
    [{ extra: { mounts: ['target=/a,wat=1'] } }, BadMount, 'unknown field "wat"'],
    [{ extra: { mounts: ['target=/a,readonly=maybe'] } }, BadMount, 'true or false'],
  ])('refuses %j with a reason', (spec, kind, message) => {
    expect(() => body(spec)).toThrow(kind);
    expect(() => body(spec)).toThrow(message);
  });
});
