import { describe, expect, it } from 'vitest';
import { planOutput } from '../../../src/container/build/build-output.ts';
import { buildArguments, buildQuery, chooseBuilder } from '../../../src/container/build/build-parameters.ts';
import { planCache } from '../../../src/container/build/cache-options.ts';
import { parseKeyValues, parseUlimit } from '../../../src/container/build/flag-values.ts';
import type { BuildSpec } from '../../../src/model/plan.ts';
import type { EngineDescription } from '../../../src/model/ports/container-engine.ts';
import { makeSpec } from './build-harness.ts';

const OLD: EngineDescription = {
  kind: 'docker',
  version: '20.10.24',
  apiVersion: '1.41',
  buildkit: true,
  os: 'linux',
  architecture: 'amd64',
  cpus: 2,
  endpoint: 'test',
};
const NEW: EngineDescription = { ...OLD, version: '28.0.0', apiVersion: '1.48' };
const PODMAN: EngineDescription = { ...OLD, kind: 'podman', buildkit: false };

describe('the choice of the builder', () => {
  const cases: readonly (readonly [Partial<BuildSpec>, EngineDescription, unknown])[] = [
    [{}, OLD, { builder: 'buildkit', ignored: [] }],
    [{}, PODMAN, { builder: 'classic', ignored: [] }],
    [{ memory: '1g' }, OLD, { builder: 'classic', ignored: [] }],
    [{ memory: '1g', env: ['DOCKER_BUILDKIT=1'] }, OLD, { builder: 'buildkit', ignored: ['--memory'] }],
    [{ shmSize: '1g' }, OLD, { builder: 'classic', ignored: [] }],
    [{ shmSize: '1g' }, NEW, { builder: 'buildkit', ignored: [] }],
    [{ network: 'mine' }, NEW, { builder: 'classic', ignored: [] }],
    [{ network: 'host' }, NEW, { builder: 'buildkit', ignored: [] }],
    [{ secrets: ['id=a'] }, PODMAN, { builder: 'classic', ignored: [] }],
    [{ ssh: ['default'] }, PODMAN, { reason: expect.stringContaining('--ssh') }],
    [{ ssh: ['default'], memory: '1g' }, OLD, { reason: expect.stringContaining('--memory') }],
    [
      { secrets: ['id=a'], shmSize: '1g' },
      OLD,
      { reason: '--shm-size: BuildKit takes it from API 1.42 (Docker 23.0) on, and this engine has API 1.41' },
    ],
    [{ secrets: ['id=a'], shmSize: '1g' }, NEW, { builder: 'buildkit', ignored: [] }],
    [{ platforms: ['a/b', 'c/d'] }, NEW, { reason: expect.stringContaining('--platform') }],
  ];
  it.each(cases)('%j', (spec, engine, expected) => {
    expect(chooseBuilder(makeSpec(spec), engine)).toEqual(expected);
  });
});

describe('the query of a build', () => {
  it('repeats names and writes lists as JSON', () => {
    const spec = makeSpec({ labels: ['a=b=c', 'd'], addHosts: ['h=::1', 'i:1.2.3.4'], ulimits: ['nofile=1:2'], shmSize: '1k' });
    const query = buildQuery(spec, ['x:1', 'y']);
    expect(query.getAll('t')).toEqual(['x:1', 'y']);
    expect(JSON.parse(query.get('labels') ?? '')).toEqual({ a: 'b=c', d: '' });
    expect(query.getAll('extrahosts')).toEqual(['h:::1', 'i:1.2.3.4']);
    expect(JSON.parse(query.get('ulimits') ?? '')).toEqual([{ Name: 'nofile', Soft: 1, Hard: 2 }]);
    expect(query.get('shmsize')).toBe('1024');
  });

  it('takes the last of several equal arguments and null for an unknown bare one', () => {
    const spec = makeSpec({ buildArgs: ['A=1', 'A=2', 'B', 'C'], env: ['B=b=b'] });
    expect(Object.fromEntries(buildArguments(spec))).toEqual({ A: '2', B: 'b=b', C: null });
  });
});

describe('values of flags', () => {
  it('reads pairs as CSV', () => {
    expect([...parseKeyValues('type=local,"dest=a,b",x', '--output')]).toEqual([
      ['type', 'local'],
      ['dest', 'a,b'],
      ['x', ''],
    ]);
    expect(() => parseKeyValues('a="b', '--output')).toThrow('quote');
    expect(() => parseKeyValues('a=b,', '--output')).toThrow('key=value');
  });

  it('refuses limits that contradict themselves', () => {
    expect(parseUlimit('core=-1')).toEqual({ Name: 'core', Soft: -1, Hard: -1 });
    expect(() => parseUlimit('nofile=5:2')).toThrow('above the hard');
  });

  it('plans caches', () => {
    expect(planCache(makeSpec({ cacheFrom: ['a', 'type=registry,ref=b'], cacheRef: 'h/c:cache' }))).toEqual({
      from: ['a', 'b', 'h/c:cache'],
      inline: true,
      pushTo: ['h/c:cache'],
    });
    expect(planCache(makeSpec({ cacheTo: ['type=inline'] }))).toEqual({ from: [], inline: true, pushTo: [] });
  });

  it('plans outputs', () => {
    expect(planOutput(makeSpec())).toEqual({ kind: 'image' });
    expect(planOutput(makeSpec({ outputs: ['type=docker'] }))).toEqual({ kind: 'image' });
    expect(planOutput(makeSpec({ outputs: ['out/x'], workdir: '/workspace/a' }))).toEqual({
      kind: 'directory',
      path: '/workspace/a/out/x',
    });
    expect(planOutput(makeSpec({ outputs: ['type=tar,dest=../b.tar'], workdir: '/workspace/a' }))).toEqual({
      kind: 'archive',
      path: '/workspace/b.tar',
    });
    expect(() => planOutput(makeSpec({ outputs: ['type=local'] }))).toThrow('dest=PATH');
  });
});
