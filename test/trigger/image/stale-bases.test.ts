import { describe, expect, it } from 'vitest';
import type { ImageDependency } from '../../../src/model/ports/image-watch-store.ts';
import { compareBases, type ImageNow } from '../../../src/trigger/image/stale-bases.ts';

const digest = (name: string): string => `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0')}`;
const row = (parts: Partial<ImageDependency>): ImageDependency => ({
  ...{ taskId: 't', task: 'app', step: 'build', platform: 'linux/amd64', written: 'node:20', role: 'runtime', state: 'built' },
  ...{ image: { registry: 'docker.io', repository: 'library/node', tag: '20' }, resolvedAt: '2030-01-01T00:00:00.000Z' },
  ...{ indexDigest: digest('index'), platformDigest: digest('amd') },
  ...parts,
});
const now = (parts: Partial<ImageNow> = {}): ImageNow => ({
  ...{ indexDigest: digest('index'), platforms: { 'linux/amd64': digest('amd'), 'linux/arm64': digest('arm') } },
  ...{ previous: digest('before'), previousPlatforms: { 'linux/amd64': digest('amd before'), 'linux/arm64': digest('arm') } },
  ...parts,
});
const verdict = (rows: readonly ImageDependency[], image: ImageNow, trackIndex = false): string => {
  const compared = compareBases(rows, image, { trackIndex });
  return 'code' in compared ? compared.code : compared.stale.map(({ dependency }) => dependency.platform).join();
};

describe('what a task has of an image, and what it is now', () => {
  it.each([
    ['the same manifest', [row({})], now(), false, 'same-digest'],
    ['another index with the same manifest', [row({})], now({ indexDigest: digest('new') }), false, 'same-digest'],
    ['another index, which counts', [row({})], now({ indexDigest: digest('new') }), true, 'linux/amd64'],
    ['another manifest', [row({ platformDigest: digest('old') })], now(), false, 'linux/amd64'],
    ['one of two platforms', [row({}), row({ platform: 'linux/arm64', platformDigest: digest('old') })], now(), false, 'linux/arm64'],
    ['a platform that is gone', [row({ platform: 'linux/s390x' })], now({ platforms: { 'linux/s390x': '' } }), false, 'unreachable'],
    ['a platform nobody looked at', [row({ platform: 'linux/s390x' })], now(), false, 'unreachable'],
    ['no platform, the same index', [row({ platform: '', platformDigest: '' })], now(), false, 'same-digest'],
    ['no platform, another index', [row({ platform: '', platformDigest: '' })], now({ indexDigest: digest('new') }), false, ''],
    ['only an index, which is the platform’s', [row({ platformDigest: '', indexDigest: digest('amd') })], now(), false, 'same-digest'],
    ['only an index, which is the image’s', [row({ platformDigest: '' })], now(), false, 'same-digest'],
    ['only an index, another', [row({ platformDigest: '', indexDigest: digest('old') })], now(), false, 'linux/amd64'],
  ])('built with %s', (_, rows, image, trackIndex, expected) => expect(verdict(rows, image, trackIndex)).toBe(expected));

  const read = { state: 'static', indexDigest: '', platformDigest: '' } as const;
  it.each([
    ['the first look', [row(read)], now({ previous: '', previousPlatforms: {} }), 'first-sight'],
    ['another manifest than before', [row(read)], now(), 'linux/amd64'],
    ['the same manifest as before', [row({ ...read, platform: 'linux/arm64' })], now(), 'same-digest'],
    ['a failed build with what is now', [row({ state: 'attempted' })], now(), 'same-digest'],
    ['a failed build with what was before', [row({ state: 'attempted', platformDigest: digest('amd before') })], now(), 'linux/amd64'],
    ['a build beside what is only read', [row({}), row({ ...read, step: 'other' })], now(), 'same-digest'],
    [
      'a build that resolved nothing',
      [row({ indexDigest: '', platformDigest: '' })],
      now({ previous: '', previousPlatforms: {} }),
      'first-sight',
    ],
  ])('never built: %s', (_, rows, image, expected) => expect(verdict(rows, image)).toBe(expected));
});
