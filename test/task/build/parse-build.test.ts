import { describe, expect, it } from 'vitest';
import type { BuildSpec } from '../../../src/model/plan.ts';
import { parseBuild } from '../../../src/task/build/parse-build.ts';

type Options = Partial<Parameters<typeof parseBuild>[1]>;

function read(text: string, options: Options = {}): ReturnType<typeof parseBuild> {
  const range = { source: { name: 'task.yaml', text }, start: 0, end: text.length };
  return parseBuild(text, { stepId: 'b', taskName: '', registry: '', cache: '', env: [], workdir: '/workspace', range, ...options });
}

function spec(text: string, options: Options = {}): BuildSpec {
  const result = read(text, options);
  if (!result.ok) throw new Error(result.error.map(({ message }) => message).join('\n'));
  return result.value.value;
}

function problems(text: string, options: Options = {}): string[] {
  const result = read(text, options);
  const found = result.ok ? result.value.warnings : result.error;
  return found.map(({ code, severity, range }) => `${severity} ${code} ${range?.source.text.slice(range.start, range.end)}`);
}

describe('parseBuild', () => {
  it('reads a plain build', () => {
    expect(spec('-t r.io/a:1 -f d/Dockerfile --build-arg A=1 --target t ctx')).toEqual({
      context: { kind: 'local', path: 'ctx' },
      dockerfile: 'd/Dockerfile',
      tags: ['r.io/a:1'],
      buildArgs: ['A=1'],
      target: 't',
      platforms: [],
      noCache: false,
      pull: 'auto',
      labels: [],
      addHosts: [],
      cacheFrom: [],
      cacheTo: [],
      ulimits: [],
      squash: false,
      securityOpt: [],
      secrets: [],
      ssh: [],
      outputs: [],
      buildContexts: [],
      quiet: false,
      progress: 'auto',
      env: [],
      workdir: '/workspace',
    });
  });

  it('reads every flag that a build step can pass on', () => {
    const text =
      '. --tag=a -tb --label k=v --label=x --platform linux/amd64,linux/arm64 --no-cache --pull --network host --add-host h:1.2.3.4 ' +
      '--cache-from c1 --cache-from=type=registry,ref=c2 --cache-to type=inline --shm-size 64m --ulimit nofile=1:2 -m 1g --memory-swap=-1 ' +
      '-c 5 --cpu-period 1 --cpu-quota 2 --cpuset-cpus 0-1 --cpuset-mems 0 --cgroup-parent cg --isolation default --squash ' +
      '--security-opt seccomp=unconfined --secret id=s,src=f --ssh default -o type=local,dest=out --build-context base=./b ' +
      '--iidfile i --metadata-file m -q --progress=plain --build-arg NAME --build-arg "M=two words"';
    expect(spec(text)).toMatchObject({
      context: { kind: 'local', path: '.' },
      tags: ['a', 'b'],
      labels: ['k=v', 'x'],
      platforms: ['linux/amd64', 'linux/arm64'],
      noCache: true,
      pull: 'always',
      network: 'host',
      addHosts: ['h:1.2.3.4'],
      cacheFrom: ['c1', 'type=registry,ref=c2'],
      cacheTo: ['type=inline'],
      shmSize: '64m',
      ulimits: ['nofile=1:2'],
      memory: '1g',
      memorySwap: '-1',
      cpuShares: 5,
      cpuPeriod: 1,
      cpuQuota: 2,
      cpusetCpus: '0-1',
      cpusetMems: '0',
      cgroupParent: 'cg',
      isolation: 'default',
      squash: true,
      securityOpt: ['seccomp=unconfined'],
      secrets: ['id=s,src=f'],
      ssh: ['default'],
      outputs: ['type=local,dest=out'],
      buildContexts: ['base=./b'],
      iidfile: 'i',
      metadataFile: 'm',
      quiet: true,
      progress: 'plain',
      buildArgs: ['NAME', 'M=two words'],
    });
  });

  it.each([
    ['--no-cache https://host/r.git', { kind: 'git', url: 'https://host/r.git', ref: '', subdir: '' }],
    [
      '-f Dockerfile https://github.com/o/r.git#main:d --cache-from=ubuntu',
      { kind: 'git', url: 'https://github.com/o/r.git', ref: 'main', subdir: 'd' },
    ],
    ['https://x/y.tar.gz -f D', { kind: 'archive', url: 'https://x/y.tar.gz', subdir: '' }],
    ['oci://r.io/src:1', { kind: 'oci', reference: 'r.io/src:1' }],
    ['-t a -', { kind: 'stdin' }],
    ['/dev/null', { kind: 'none' }],
    ['"my dir"', { kind: 'local', path: 'my dir' }],
    ['-t a\n  .', { kind: 'local', path: '.' }],
    ['-- -dash', { kind: 'local', path: '-dash' }],
  ])('finds the context of %j', (text, context) => {
    expect(spec(text).context).toEqual(context);
  });

  it.each([
    ['--pull .', 'always'],
    ['--pull=true .', 'always'],
    ['--pull=false .', 'auto'],
    ['--pull never .', 'never'],
    ['--pull=never .', 'never'],
    ['--pull=missing .', 'auto'],
    ['.', 'auto'],
  ])('%s', (text, pull) => {
    expect(spec(text)).toMatchObject({ pull, context: { kind: 'local', path: '.' } });
  });

  it('keeps names and paths that are quoted', () => {
    expect(spec(`-t "r.io/a:1" -f 'My Dockerfile' "."`)).toMatchObject({ tags: ['r.io/a:1'], dockerfile: 'My Dockerfile' });
  });

  it("expands the step's own variables", () => {
    expect(spec('-t $IMAGE --build-arg T=$TOKEN .', { env: ['IMAGE=r.io/a'] })).toMatchObject({
      tags: ['r.io/a'],
      buildArgs: ['T=$TOKEN'],
      env: ['IMAGE=r.io/a'],
    });
  });

  it.each([
    ['. second', ['error build-second-context second']],
    ['-t a', ['warning build-no-context -t a']],
    ['-f - -', ['error build-two-from-stdin -']],
    ['oci://reg.io:5000/repo', ['error build-oci-untagged oci://reg.io:5000/repo']],
    ['https://github.com/o/r#main', ['warning build-context-not-git https://github.com/o/r#main']],
    ['https://h/%zz.git', ['error build-context-url https://h/%zz.git']],
    ['-t r.io/:1 .', ['warning build-tag-invalid -t r.io/:1 .']],
    ['--pusj .', ['error flag-unknown --pusj']],
    ['--push .', ['error flag-unsupported --push']],
    ['--load .', ['warning flag-ignored --load']],
    ['--provenance=false .', ['warning flag-ignored --provenance=false']],
    ['--provenance=max .', ['error flag-value --provenance=max']],
    ['--pull=newer .', ['error flag-value --pull=newer']],
    ['--platform linux//x .', ['error flag-value linux//x']],
    ['-t a . > log', ['error shell-operator >']],
    ['-t', ['error flag-value -t']],
  ])('%s', (text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  it('names the cache, or says why there is none', () => {
    const cache = { cache: 'enabled', stepId: '1' } as const;
    expect(spec('-t a -t sam.azurecr.io/foo .', cache).cacheRef).toBe('sam.azurecr.io/foo:cache_quickrun_1');
    expect(spec('-t abcd .', { ...cache, registry: 'sam.azurecr.io', taskName: 'n' }).cacheRef).toBe('sam.azurecr.io/abcd:cache_n_1');
    expect(spec('-t foo/bar:2 .', { ...cache, registry: 'r.io' }).cacheRef).toBe('foo/bar:cache_quickrun_1');
    expect(spec('.', { ...cache, registry: 'r.io' }).cacheRef).toBeUndefined();
    expect(problems('-t abcd .', cache)).toEqual(['warning build-cache-unnamed -t abcd .']);
    expect(problems('-t r.io/a .', { ...cache, stepId: 'x'.repeat(120) })).toEqual(['warning build-cache-unnamed -t r.io/a .']);
    expect(spec('-t r.io/a .', { cache: 'disabled' }).cacheRef).toBeUndefined();
  });
});
