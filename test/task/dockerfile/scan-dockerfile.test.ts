import { describe, expect, it } from 'vitest';
import { pinDockerfile } from '../../../src/task/dockerfile/pin-dockerfile.ts';
import { type DockerfileScan, scanDockerfile } from '../../../src/task/dockerfile/scan-dockerfile.ts';

interface Given {
  readonly args?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly platform?: string;
  readonly contexts?: readonly string[];
}

function read(text: string, given: Given = {}): ReturnType<typeof scanDockerfile> {
  return scanDockerfile(
    { name: 'Dockerfile', text },
    {
      buildArgs: new Map(Object.entries(given.args ?? {})),
      target: given.target ?? '',
      platforms: [given.platform ?? 'linux/amd64'],
      buildPlatform: 'linux/amd64',
      contexts: new Set(given.contexts),
    },
  );
}

function scanned(text: string, given: Given = {}): DockerfileScan {
  const result = read(text, given);
  if (!result.ok) throw new Error(result.error.map(({ message }) => message).join('\n'));
  const [scan] = result.value.value;
  if (scan === undefined) throw new Error('no scan');
  return scan;
}

function images(text: string, given: Given = {}): string {
  const { runtime, buildtime } = scanned(text, given);
  return [runtime, ...buildtime]
    .map(({ reference, platform }) => (platform === 'linux/amd64' ? reference : `${reference}(${platform})`))
    .join(' ');
}

describe('scanDockerfile', () => {
  it.each<[string, string, Given?]>([
    ['FROM busybox', 'busybox'],
    ['\ufeffFROM golang AS x\nFROM scratch\nCOPY --from=x /a /b', 'scratch golang'],
    ['FROM alpine:3 AS b\r\nRUN x\r\nFROM busybox\r\nCOPY --from=b a b\r\n', 'busybox alpine:3'],
    ['FROM "alpine:3"', 'alpine:3'],
    ['FROM alpine:3 \\\n  AS x\nFROM x', 'alpine:3'],
    ['# escape=`\nFROM alpine `\n AS x\nFROM x', 'alpine'],
    ['FROM a AS One\nFROM b AS two\nCOPY --from=ONE x y\nFROM Two', 'b a'],
    ['FROM a AS one\nFROM b\nCOPY --from=0 x y', 'b a'],
    ['FROM a\nCOPY --from=nginx:1 x y\nRUN --mount=type=bind,from=golang:1,target=/g x', 'a nginx:1 golang:1'],
    ['FROM a\nCOPY --from=5 x y', 'a 5'],
    ['FROM a AS unused\nFROM b', 'b'],
    ['FROM a AS base\nFROM base AS mid\nFROM mid', 'a'],
    ['FROM a:1 AS one\nFROM b:1 AS two', 'b:1', { target: 'zzz' }],
    ['FROM a:1 AS one\nFROM b:1 AS two', 'a:1', { target: 'ONE' }],
    ['FROM a:1 AS one\nFROM b:1 AS two', 'a:1', { target: '0' }],
    ['FROM node AS node\nFROM node', 'node'],
    ['FROM alpine\nRUN <<E\nFROM fake:1\nE\nCOPY <<-"X" /a\n\tFROM fake:2\n\tX\nCOPY --from=real a b', 'alpine real'],
    ['FROM a\nRUN echo $((1<<2)) && cat <<<x\nCOPY --from=b x y', 'a b'],
    ['FROM a\n# FROM c\nRUN x \\\n# FROM d\n y\nCOPY --from=b x y', 'a b'],
    ['FROM a\nONBUILD COPY --from=z a b\nCOPY ["--from=q", "b"]', 'a'],
    ['FROM a\nCOPY --from=ctx x y\nFROM ctx2\nCOPY --from=0 x y', 'a', { contexts: ['ctx'], target: '0' }],
    ['from a as x\nfrom x', 'a'],
    ['FROM library/golang AS a\nFROM golang\nCOPY --from=golang:latest x y\nCOPY --from=a x y', 'library/golang'],
    ['FROM a AS x extra', 'a'],
  ])('%j', (text, expected, given = {}) => {
    expect(images(text, given)).toBe(expected);
  });

  it.each<[string, string, Given?]>([
    ['ARG V=3\nFROM a:$V', 'a:3'],
    ['ARG V=3\nFROM a:${V}', 'a:4', { args: { V: '4' } }],
    ['ARG V\nFROM a:${V:-3.1}', 'a:3.1'],
    ['ARG V=\nFROM a:${V:-d}', 'a:d'],
    ['ARG V=\nFROM a${V-d}', 'a'],
    ['ARG V=1\nFROM a${V:+:x}', 'a:x'],
    ['FROM a${V:+:x}', 'a'],
    ['ARG A=1\nARG B=${A}2\nFROM x:$B', 'x:12'],
    ['ARG A=1 B="2" C=\'3\'\nFROM x:$A$B$C', 'x:123'],
    ['ARG V=1\nARG V=2\nFROM x:$V', 'x:2'],
    ['ARG V=1\nARG V\nFROM x:$V', 'x:1'],
    ['ARG A=r.io/${B:-${C:-deep}}\nFROM $A', 'r.io/deep'],
    ['FROM x:$V', 'x:9', { args: { V: '9' } }],
    ['FROM a AS s\nARG V=1\nFROM x:$V', 'x:1'],
    ['ARG S=two\nFROM a AS one\nFROM b AS two\nFROM $S', 'b'],
    ['FROM x:$$V', 'x:V'],
    ['FROM --platform=linux/arm64 a', 'a(linux/arm64)'],
    ['FROM --platform=$BUILDPLATFORM go AS b\nFROM a\nCOPY --from=b x y', 'a(linux/arm64) go', { platform: 'linux/arm64' }],
    ['FROM r.io/base-${TARGETARCH}${TARGETVARIANT}', 'r.io/base-armv7(linux/arm/v7)', { platform: 'linux/arm/v7' }],
  ])('expands %j', (text, expected, given = {}) => {
    expect(images(text, given)).toBe(expected);
  });

  it.each([
    'ARG V\nFROM alpine:$V',
    'FROM ${V?needed}',
    'FROM x:${V#a*}',
    'FROM a\nCOPY --from=x$V a b',
    `FROM ${'${A:-'.repeat(500)}x${'}'.repeat(500)}`,
  ])('warns where a variable leaves an image open: %j', (text) => {
    const result = read(text);
    expect(result.ok && result.value.warnings.map(({ code }) => code)).toEqual(['dockerfile-unresolved']);
  });

  it.each([
    ['', 'no FROM'],
    ['RUN true', 'no FROM'],
    ['FROM', 'names no image'],
    ['ARG\nFROM x', 'names no variable'],
    ['FROM x as', 'only `AS NAME`'],
    ['FROM x y z', 'only `AS NAME`'],
    ['FROM alpine:', 'a tag has'],
    ['FROM UPPER', 'lower-case'],
    ['ARG V=1\nFROM x:\\$V', 'a tag has'],
  ])('refuses %j', (text, reason) => {
    const result = read(text);
    expect(!result.ok && result.error[0]?.message).toContain(reason);
  });

  it('refuses what is too long to be a Dockerfile', () => {
    expect(read(`FROM a\n#${'x'.repeat(256 * 1024)}`)).toMatchObject({
      ok: false,
      error: [{ message: expect.stringContaining('more than') }],
    });
  });

  it('does not guess what a build context in place of the final base is', () => {
    const { runtime, buildtime } = scanned('FROM a AS x\nFROM ctx\nCOPY --from=x b c', { contexts: ['ctx'] });
    expect(runtime).toMatchObject({ reference: 'ctx', unresolved: true, words: [] });
    expect(buildtime.map(({ reference }) => reference)).toEqual(['a']);
  });

  it('bounds variables that double each other', () => {
    const doubling = Array.from({ length: 60 }, (_, index) => `ARG A${index + 1}=$A${index}$A${index}`).join('\n');
    const result = read(`ARG A0=xxxxxxxxxx\n${doubling}\nFROM $A60`);
    expect(result.ok ? result.value.warnings : result.error).toMatchObject([{ code: expect.stringMatching(/^dockerfile-/) }]);
    expect(read(`ARG A=${'x'.repeat(60_000)}\nARG B=${'$A'.repeat(50_000)}\nFROM b`).ok).toBe(true);
  });

  it('reads long lines and many stages in time', () => {
    const stages = Array.from({ length: 2000 }, (_, index) => `FROM ${index === 0 ? 'a' : `s${index - 1}`} AS s${index}`).join('\n');
    expect(images(`FROM z AS long\nRUN echo ${'x'.repeat(100_000)}\n${stages}`)).toBe('a');
  });
});

describe('pinDockerfile', () => {
  it('replaces the words that name images and nothing else', () => {
    const text = [
      '# syntax=docker/dockerfile:1',
      'ARG BASE=node:20',
      'FROM --platform=linux/amd64 ${BASE} AS node',
      'RUN --mount=type=bind,from=golang:1,target=/g echo golang:1',
      'FROM "alpine:3" as final',
      'COPY --from=node --chown=1 a b',
      'COPY --from=golang:1 a b',
      'FROM final',
    ].join('\r\n');
    const pins = new Map([
      ['node:20', 'node@sha256:1'],
      ['golang:1', 'golang@sha256:2'],
      ['alpine:3', 'alpine@sha256:3'],
    ]);
    expect(pinDockerfile(text, scanned(text), pins).split('\r\n')).toEqual([
      '# syntax=docker/dockerfile:1',
      'ARG BASE=node:20',
      'FROM --platform=linux/amd64 node@sha256:1 AS node',
      'RUN --mount=type=bind,from=golang@sha256:2,target=/g echo golang:1',
      'FROM alpine@sha256:3 as final',
      'COPY --from=node --chown=1 a b',
      'COPY --from=golang@sha256:2 a b',
      'FROM final',
    ]);
  });

  it('leaves alone what has no pin, what spans lines and what only a stray value explains', () => {
    const text = 'FROM a\\\n:1 AS x\nARG V=1\nFROM b:$V\nCOPY --from=x a b\nCOPY --from=c a b\n';
    const pins = new Map(['a:1', 'b:1'].map((name) => [name, 'pinned@sha256:1']));
    expect(pinDockerfile(text, scanned(text), pins)).toBe(text);
  });
});
