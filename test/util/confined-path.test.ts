import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realPathBelow, resolveBelow } from '../../src/util/confined-path.ts';

let base = '';
let root = '';

beforeAll(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'slipway-confined-')));
  root = join(base, 'root');
  await mkdir(join(root, 'subdir/deep'), { recursive: true });
  await mkdir(join(base, 'outside'));
  await writeFile(join(base, 'outside/secret'), 'x');
  const links = {
    parentlink: '../subdir',
    absolutelink: '/subdir',
    out: join(base, 'outside'),
    up: '../outside',
    loop: 'loop2',
    loop2: 'loop',
    'subdir/back': '../subdir/deep',
    inside: 'subdir',
  };
  for (const [name, target] of Object.entries(links)) await symlink(target, join(root, name));
});

afterAll(() => rm(base, { recursive: true, force: true }));

describe('resolveBelow', () => {
  it.each([
    ['', ''],
    ['.', ''],
    ['subdir/', 'subdir'],
    ['/subdir', 'subdir'],
    ['subdir/../subdir', 'subdir'],
    ['parentlink', 'subdir'],
    ['absolutelink/deep', 'subdir/deep'],
    ['subdir/back', 'subdir/deep'],
    ['up', 'outside'],
    ['nothing/here', 'nothing/here'],
  ])('%j is %j', async (path, expected) => {
    expect(relative(root, (await resolveBelow(root, path)) ?? 'refused')).toBe(expected);
  });

  it('never leads to what a link names outside', async () => {
    const place = (await resolveBelow(root, 'out/secret')) ?? '';
    expect(place).toBe(join(root, base, 'outside/secret'));
  });

  it.each(['..', '../..', 'subdir/../../x', '/..x/../..', 'loop'])('refuses %j', async (path) => {
    expect(await resolveBelow(root, path)).toBeUndefined();
  });
});

describe('realPathBelow', () => {
  it.each([
    ['', ''],
    ['inside/deep', 'subdir/deep'],
    ['new/file', 'new/file'],
  ])('%j is %j', async (path, expected) => {
    expect(relative(root, (await realPathBelow(root, path)) ?? 'refused')).toBe(expected);
  });

  it.each(['..', '../root2', 'out', 'out/secret', 'up', 'up/secret'])('refuses %j', async (path) => {
    expect(await realPathBelow(root, path)).toBeUndefined();
  });
});
