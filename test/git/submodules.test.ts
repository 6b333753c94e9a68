import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitSource } from '../../src/git/git-source.ts';
import { EngineError } from '../../src/model/engine-error.ts';
import { runProcess } from '../../src/util/process.ts';
import { type GitServer, type GitWork, git, startGitServer } from '../support/git-server.ts';

const open = { allowPrivate: true, allowLoopback: true };
let server: GitServer;
let folder: string;
let leaf: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-submodules-'));
  server = await startGitServer();
  await server.repository('leaf', async (work) => {
    await writeFile(join(work.directory, 'leaf.txt'), 'leaf');
    leaf = await work.commit('leaf');
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function link(work: GitWork, path: string, commit: string): Promise<void> {
  await work.git('update-index', '--add', '--cacheinfo', `160000,${commit},${path}`);
}
/** A repository whose index has gitlinks and whose .gitmodules says what an attacker wrote. */
async function hostile(
  name: string,
  gitmodules: string,
  links: readonly string[],
  more: (work: GitWork) => Promise<void> = async () => undefined,
) {
  await server.repository(name, async (work) => {
    await more(work);
    await writeFile(join(work.directory, '.gitmodules'), gitmodules);
    await work.git('add', '-A');
    for (const path of links) await link(work, path, leaf);
    await work.git('commit', '-q', '-m', name);
  });
}
async function checkout(name: string, options: { environment?: Record<string, string | undefined>; signal?: AbortSignal } = {}) {
  const source = createGitSource({ addresses: open, ...(options.environment === undefined ? {} : { environment: options.environment }) });
  const directory = await mkdtemp(join(folder, 'checkout-'));
  const notes: string[] = [];
  const before = await snapshot(folder, directory);
  const error = await source
    .checkout({
      url: `${server.url}/smart/${name}.git`,
      ref: '',
      directory,
      signal: new AbortController().signal,
      onProgress: (note) => notes.push(note),
    })
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  expect(await snapshot(folder, directory)).toEqual(before);
  return { directory, error, notes };
}
/** Everything below the folder, apart from the checkout's own directory. */
async function snapshot(root: string, without: string): Promise<readonly string[]> {
  const names = await readdir(root, { recursive: true });
  return names.filter((name) => !join(root, name).startsWith(without)).sort();
}

describe('submodules', () => {
  it('fetches them at the commit of the tree, relative URLs and nesting included', async () => {
    await server.repository('middle', async (work) => {
      await writeFile(join(work.directory, '.gitmodules'), '[submodule "leaf"]\n\tpath = deep/leaf\n\turl = ../leaf.git\n');
      await work.git('add', '-A');
      await link(work, 'deep/leaf', leaf);
      await work.git('commit', '-q', '-m', 'middle');
    });
    const middle = (await git(join(server.root, 'middle.git'), 'rev-parse', 'HEAD')).trim();
    await server.repository('top', async (work) => {
      await writeFile(join(work.directory, '.gitmodules'), `[submodule "m"]\n\tpath = middle\n\turl = ${server.url}/smart/middle.git\n`);
      await work.git('add', '-A');
      await link(work, 'middle', middle);
      await work.git('commit', '-q', '-m', 'top');
    });
    const { directory, error } = await checkout('top');
    expect(error).toBeUndefined();
    expect(await readFile(join(directory, 'middle/deep/leaf/leaf.txt'), 'utf8')).toBe('leaf');
  });

  it('leaves a link without an entry empty', async () => {
    await hostile('orphan', '', ['sub']);
    const { directory, error } = await checkout('orphan');
    expect(error).toBeUndefined();
    expect(await readdir(join(directory, 'sub'))).toEqual([]);
  });

  const entry = (path: string, url: string, extra = ''): string => `[submodule "s"]\n\tpath = ${path}\n\turl = "${url}"\n${extra}`;

  it.each([
    ['file', 'file:///etc'],
    ['path', '/etc'],
    ['option', '--upload-pack=touch /tmp/slipway-pwned'],
    ['dash', '-u./evil.sh'],
    ['ext', 'ext::sh -c id'],
    ['ssh', 'ssh://git@host/r.git'],
    ['scp', '-oProxyCommand=id:x'],
    ['git', 'git://host/r.git'],
    ['credentials', 'https://user:pw@host/r.git'],
    ['above', '../../../../../../x.git'],
    ['metadata', 'http://169.254.169.254/r.git'],
  ])('refuses a submodule URL: %s', async (name, url) => {
    await hostile(`url-${name}`, entry('sub', url), ['sub']);
    const { directory, error } = await checkout(`url-${name}`);
    expect(error).toMatchObject({ code: 'context-rejected' });
    expect((error as EngineError).message).not.toContain('pw@');
    expect(await readdir(directory)).toEqual([]);
  });

  it('does not act on update commands, and refuses a .gitmodules that is a link', async () => {
    const canary = join(folder, 'canary-update');
    await hostile('update', entry('sub', `${'../leaf.git'}`, `\tupdate = !touch ${canary}\n\tfetchRecurseSubmodules = true\n`), ['sub']);
    const { error } = await checkout('update');
    // git's own check of incoming objects knows this one.
    expect(error).toBeInstanceOf(EngineError);
    await server.repository('linked', async (work) => {
      // git refuses to index such a link, so the tree is put together by hand.
      await writeFile(join(work.directory, 'target'), 'elsewhere');
      const target = (await work.git('hash-object', '-w', 'target')).trim();
      await writeFile(join(work.directory, 'tree'), `120000 blob ${target}\t.gitmodules\n160000 commit ${leaf}\tsub\n`);
      const tree = (await gitInput(work.directory, join(work.directory, 'tree'), 'mktree', '--missing')).trim();
      const commit = (await work.git('commit-tree', '-m', 'x', tree)).trim();
      await work.git('update-ref', 'refs/heads/main', commit);
    });
    expect((await checkout('linked')).error).toMatchObject({ code: 'context-rejected' });
  });

  it('does not pass through a symbolic link that stands in the path (CVE-2024-32002)', async () => {
    const outside = await mkdtemp(join(folder, 'outside-'));
    await hostile('through', entry('link/sub', '../leaf.git'), [], async (work) => {
      await symlink(outside, join(work.directory, 'link'));
    });
    await server.repository('through2', async (work) => {
      await writeFile(join(work.directory, '.gitmodules'), entry('link/sub', '../leaf.git'));
      await mkdir(join(work.directory, 'LINK'));
      await symlink(outside, join(work.directory, 'link'));
      await work.git('add', '-A');
      await link(work, 'LINK/sub', leaf);
      await work.git('commit', '-q', '-m', 'x');
    });
    for (const name of ['through', 'through2']) await checkout(name);
    expect(await readdir(outside)).toEqual([]);
  });

  it('treats a carriage return in a path as part of it (CVE-2025-48384)', async () => {
    await hostile('cr', '[submodule "s"]\n\tpath = "sub\r"\n\turl = ../leaf.git\n', ['sub\r']);
    const { directory, error } = await checkout('cr');
    if (error === undefined) expect(await readdir(directory)).not.toContain('sub');
    else expect(error).toMatchObject({ code: 'context-rejected' });
  });

  it('stops at endless nesting', async () => {
    // A repository cannot contain its own commit, but a branch can name the previous one over and over.
    let previous = leaf;
    let url = '../leaf.git';
    for (let level = 0; level < 10; level += 1) {
      const name = `level${level}`;
      await server.repository(name, async (work) => {
        await writeFile(join(work.directory, '.gitmodules'), entry('s', url));
        await work.git('add', '-A');
        await link(work, 's', previous);
        await work.git('commit', '-q', '-m', name);
        previous = (await work.git('rev-parse', 'HEAD')).trim();
      });
      url = `../${name}.git`;
    }
    expect((await checkout('level9')).error).toMatchObject({ code: 'context-rejected', message: 'submodules are nested more than 8 deep' });
  });
});

describe('large files', () => {
  it('pulls them when git-lfs is there, says so when not, and leaves other repositories alone', async () => {
    await server.repository('lfs', async (work) => {
      await writeFile(join(work.directory, '.gitattributes'), '*.bin filter=lfs diff=lfs merge=lfs -text\n');
      await writeFile(join(work.directory, 'a.bin'), 'version https://git-lfs.github.com/spec/v1\n');
      await work.commit('lfs');
    });
    const bin = await mkdtemp(join(folder, 'bin-'));
    // Stands in for git-lfs, which a machine may lack: replaces the pointer as the real one would.
    await writeFile(join(bin, 'git-lfs'), `#!/bin/sh\n[ "$1" = pull ] && printf content > a.bin\nexit 0\n`);
    await chmod(join(bin, 'git-lfs'), 0o755);
    const withLfs = await checkout('lfs', { environment: { ...process.env, PATH: `${bin}:${process.env['PATH']}` } });
    expect(withLfs.error).toBeUndefined();
    expect(await readFile(join(withLfs.directory, 'a.bin'), 'utf8')).toBe('content');
    const without = await checkout('lfs', { environment: { PATH: await pathWithGitOnly() } });
    expect(without.error).toBeUndefined();
    expect(without.notes.join()).toContain('git-lfs is not installed');
    expect((await lstat(join(without.directory, 'a.bin'))).isFile()).toBe(true);
  });
});

async function gitInput(cwd: string, file: string, ...args: string[]): Promise<string> {
  const outcome = await runProcess({ file: 'git', args, cwd, env: { PATH: process.env['PATH'] ?? '' }, input: await readFile(file) });
  if (outcome.kind !== 'exited' || outcome.exitCode !== 0) throw new Error(outcome.stderr);
  return outcome.stdout.toString('utf8');
}

async function pathWithGitOnly(): Promise<string> {
  const bin = await mkdtemp(join(folder, 'gitonly-'));
  await symlink(join((await git(folder, '--exec-path')).trim(), 'git'), join(bin, 'git'));
  return bin;
}
