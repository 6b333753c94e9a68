import { mkdir, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitSource } from '../../src/git/git-source.ts';
import type { GitChangesRequest } from '../../src/model/ports/git-source.ts';
import { engineFailure } from '../support/engine-failure.ts';
import { type GitServer, git, startGitServer } from '../support/git-server.ts';
import { startSshServer } from '../support/ssh-server.ts';
import { HOSTILE_REFS, HOSTILE_URLS } from './hostile-corpus.ts';
import { spyOnGit } from './spy-on-git.ts';

const addresses = { allowPrivate: true, allowLoopback: true };
const source = createGitSource({ addresses });
const { signal } = new AbortController();
const commits: Record<string, string> = {};
const ZERO = '0'.repeat(40);
let server: GitServer;
let folder: string;
let bare: string;

type Range = Omit<GitChangesRequest, 'url' | 'cacheDirectory' | 'signal'>;

async function freshCache(): Promise<string> {
  return mkdtemp(join(folder, 'cache-'));
}
async function ask(range: Range, options: { cache?: string; url?: string; by?: typeof source } = {}) {
  const url = options.url ?? `${server.url}/smart/app.git`;
  return (options.by ?? source).changes({ url, signal, cacheDirectory: options.cache ?? (await freshCache()), ...range });
}
const at = (name: string): string => commits[name] ?? '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-changes-'));
  server = await startGitServer();
  bare = await server.repository('app', async (work) => {
    const write = async (path: string, text: string): Promise<void> => {
      await mkdir(join(work.directory, path, '..'), { recursive: true });
      await writeFile(join(work.directory, path), text);
    };
    await write('a.txt', 'a');
    await write('docs/old.md', 'a document long enough to be taken for renamed\n'.repeat(20));
    commits['one'] = await work.commit('one');
    await write('src/b.ts', 'b');
    commits['two'] = await work.commit('two [skip ci]\n\nwith a body: ünï');
    await work.git('mv', 'docs/old.md', 'docs/new name\n"x".md');
    commits['three'] = await work.commit('three');
    await work.git('checkout', '-q', '-b', 'feature', at('two'));
    await write('feature.txt', 'x');
    commits['feature'] = await work.commit('feature');
    await work.git('update-ref', 'refs/pull/7/head', 'HEAD');
    await work.git('checkout', '-q', '--orphan', 'other');
    commits['orphan'] = await work.commit('orphan');
    await work.git('checkout', '-q', 'main');
    await work.git('branch', '-q', 'long', at('one'));
    await work.git('checkout', '-q', 'long');
    for (let number = 0; number < 80; number += 1) await work.git('commit', '-q', '--allow-empty', '-m', `n${number}`);
    await write('end.txt', 'x');
    commits['long'] = await work.commit('long');
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe('paths', () => {
  it('are those between two commits, with the message of the newer', async () => {
    expect(await ask({ before: at('one'), after: at('two') })).toEqual({
      paths: ['src/b.ts'],
      message: 'two [skip ci]\n\nwith a body: ünï\n\n',
      base: at('one'),
    });
  });

  it('show a renamed file in both places, whatever its name', async () => {
    const { paths } = await ask({ before: at('one'), after: at('three') });
    expect(paths).toEqual(['docs/new name\n"x".md', 'docs/old.md', 'src/b.ts']);
  });

  it('are those since the merge base after a force push, and of a new branch against another', async () => {
    expect((await ask({ before: at('three'), after: at('feature') })).paths).toEqual(['feature.txt']);
    expect((await ask({ after: at('feature'), against: 'refs/heads/main' })).paths).toEqual(['feature.txt']);
    expect((await ask({ before: ZERO, after: at('feature'), against: 'refs/heads/main' })).paths).toEqual(['feature.txt']);
  });

  it('of a branch that was moved back are those of the commits that it lost; not known when these are gone', async () => {
    const back = { before: at('two'), after: at('one'), isMove: true };
    expect(await ask(back)).toMatchObject({ paths: ['src/b.ts'], base: at('one') });
    expect(await ask({ ...back, isMove: false })).toMatchObject({ paths: [], base: at('one') });
    expect((await ask({ ...back, before: 'd'.repeat(40), against: 'refs/heads/main' })).paths).toBeUndefined();
    expect((await ask({ after: at('one'), against: 'refs/heads/main', isMove: true })).paths).toEqual([]);
  });

  it('reach further back than one fetch does', async () => {
    const cache = await freshCache();
    expect((await ask({ before: at('three'), after: at('long') }, { cache })).paths).toEqual(['end.txt']);
    const posts = (): number => server.requests.filter(({ method }) => method === 'POST').length;
    const before = posts();
    expect((await ask({ before: at('one'), after: at('long') }, { cache })).paths).toEqual(['end.txt']);
    expect(posts()).toBe(before);
  });

  it('are not known without anything to compare with', async () => {
    expect((await ask({ after: at('two') })).paths).toBeUndefined();
    expect((await ask({ after: at('two'), before: 'd'.repeat(40) })).paths).toBeUndefined();
    expect((await ask({ after: at('orphan'), before: at('two') })).paths).toBeUndefined();
    expect((await ask({ after: at('two'), against: 'refs/heads/none' })).paths).toBeUndefined();
    expect((await ask({ after: at('feature'), before: 'd'.repeat(40), against: 'refs/heads/main' })).paths).toEqual(['feature.txt']);
  });

  it('need a commit that is there', async () => {
    const error = await engineFailure(ask({ before: at('one'), after: 'd'.repeat(40) }));
    expect(error).toMatchObject({ code: 'context-failed', transient: false, message: expect.stringContaining(`has no ${'d'.repeat(40)}`) });
  });

  it.each(['dumb', 'ssh', 'file', 'unserved'])('come from any kind of server: %s', async (kind) => {
    await git(bare, 'update-server-info');
    await using ssh = await startSshServer();
    const by = createGitSource({ addresses, allowFile: true, environment: ssh.environment });
    const urls: Record<string, string> = {
      dumb: `${server.url}/dumb/app.git`,
      ssh: `ssh://git@127.0.0.1:${ssh.port}${bare}`,
      file: `file://${bare}`,
      unserved: `file://${bare}`,
    };
    const range = { before: at('one'), after: at('two'), afterRef: 'refs/heads/main' };
    const result = await ask(range, { url: urls[kind] ?? '', by: kind === 'unserved' ? await onlyTips() : by });
    expect(result.paths).toEqual(['src/b.ts']);
    expect(result.message).toContain('two [skip ci]');
  });

  it('come from repositories with SHA-256 ids', async () => {
    const ids: string[] = [];
    await server.repository(
      'sha256',
      async (work) => {
        ids.push(await work.commit('one'));
        await writeFile(join(work.directory, 'x'), 'x');
        ids.push(await work.commit('two'));
      },
      { objectFormat: 'sha256' },
    );
    const range = { before: ids[0] ?? '', after: ids[1] ?? '' };
    expect((await ask(range, { url: `${server.url}/smart/sha256.git` })).paths).toEqual(['x']);
  });
});

/** A source whose git speaks the old protocol, in which servers (but for those over HTTP) refuse ids that no ref points at. */
async function onlyTips() {
  const bin = await mkdtemp(join(folder, 'old-'));
  const real = (await git(folder, '--exec-path')).trim();
  await writeFile(join(bin, 'git'), `#!/bin/sh\nexec ${real}/git -c protocol.version=0 "$@"\n`, { mode: 0o755 });
  return createGitSource({ addresses, allowFile: true, environment: { ...process.env, PATH: `${bin}:${process.env['PATH']}` } });
}

describe('the cache', () => {
  it('holds no contents of files where the server can leave them out', async () => {
    await git(bare, 'config', 'uploadpack.allowFilter', 'true');
    const cache = await freshCache();
    await ask({ before: at('one'), after: at('two') }, { cache });
    const [name = ''] = await readdir(cache);
    const objects = await git(join(cache, name), 'cat-file', '--batch-all-objects', '--batch-check=%(objecttype)');
    expect(objects).toContain('commit');
    expect(objects).not.toContain('blob');
  });

  it('is asked by many at once, and made anew when it is damaged', async () => {
    const cache = await freshCache();
    const many = await Promise.all(
      [at('two'), at('three'), at('feature'), at('long')].map((after) => ask({ before: at('one'), after }, { cache })),
    );
    expect(many.map(({ paths }) => paths?.length)).toEqual([1, 3, 2, 1]);
    const [name = ''] = await readdir(cache);
    for (const file of ['HEAD', 'config', 'shallow']) {
      await writeFile(join(cache, name, file), 'garbage \0');
      expect((await ask({ before: at('one'), after: at('three') }, { cache })).paths).toHaveLength(3);
    }
    const packs = join(cache, name, 'objects');
    for (const entry of await readdir(packs, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) await truncate(join(entry.parentPath, entry.name), 10);
    }
    expect((await ask({ before: at('one'), after: at('three') }, { cache })).paths).toHaveLength(3);
  });

  it('goes on after a process that died while it wrote', async () => {
    const cache = await freshCache();
    await ask({ before: at('one'), after: at('two') }, { cache });
    const [name = ''] = await readdir(cache);
    await writeFile(join(cache, name, 'shallow.lock'), '');
    expect((await ask({ before: at('two'), after: at('long') }, { cache })).paths).toEqual(['end.txt']);
  });

  it('is one for each remote and credential, and the oldest go', async () => {
    const cache = await freshCache();
    const range = { before: at('one'), after: at('two') };
    await ask(range, { cache });
    const port = new URL(server.url).port;
    await ask(range, { cache, url: `http://other@127.0.0.1:${port}/smart/app.git` });
    const [first = '', second = ''] = await readdir(cache);
    expect(second).toMatch(/^[0-9a-f]{40}\.git$/);
    expect(await readFile(join(cache, first, 'config'), 'utf8')).not.toContain('other');
    for (let number = 0; number < 200; number += 1) {
      const path = join(cache, `${String(number).padStart(40, '0')}.git`);
      await mkdir(path);
      await utimes(path, 1000 + number, 1000 + number);
    }
    await ask(range, { cache, url: `http://third@127.0.0.1:${port}/smart/app.git` });
    const left = await readdir(cache);
    expect(left).toHaveLength(200);
    expect(left).toEqual(expect.arrayContaining([first, second]));
  });
});

describe('pruning', () => {
  const range = (): Range => ({ before: at('one'), after: at('two') });
  const forget = (cache: string, limit: number, findNeeded: () => Promise<(remote: string) => boolean>): Promise<number> =>
    source.pruneHistory(cache, { limit, signal, findNeeded });

  it('removes histories of remotes that are not needed, so many at a time, and those that tell no remote', async () => {
    const cache = await freshCache();
    expect(await forget(cache, 9, () => Promise.reject(new Error('not asked for')))).toBe(0);
    const port = new URL(server.url).port;
    await ask(range(), { cache, url: `http://secret:word@127.0.0.1:${port}/smart/app.git` });
    const [kept = ''] = await readdir(cache);
    expect(await readFile(join(cache, kept, 'slipway-remote'), 'utf8')).toBe(`http://127.0.0.1:${port}/smart/app.git`);
    for (const name of ['1', '2', '3']) await mkdir(join(cache, `${name.repeat(40)}.git`));
    await mkdir(join(cache, 'not-ours'));
    const needed = (): Promise<(remote: string) => boolean> => Promise.resolve((remote) => remote.endsWith('/smart/app.git'));
    expect([await forget(cache, 2, needed), await forget(cache, 2, needed), await forget(cache, 2, needed)]).toEqual([2, 1, 0]);
    expect((await readdir(cache)).sort()).toEqual([kept, 'not-ours'].sort());
    expect(await forget(cache, 9, () => Promise.resolve(() => false))).toBe(1);
    expect((await ask(range(), { cache })).paths).toEqual(['src/b.ts']);
  });

  it('removes nothing while a history is in use, and who wants one that goes waits and gets a new one', async () => {
    const cache = await freshCache();
    await ask(range(), { cache });
    const none = (): Promise<() => boolean> => Promise.resolve(() => false);
    const asking = ask({ before: at('one'), after: at('long') }, { cache });
    const removed = await forget(cache, 9, none);
    expect([removed, (await asking).paths]).toEqual([0, ['end.txt']]);
    const [pruned, again] = await Promise.all([forget(cache, 9, none), none().then(() => ask(range(), { cache }))]);
    expect(pruned).toBeLessThanOrEqual(1);
    expect(again.paths).toEqual(['src/b.ts']);
    expect(await readdir(cache)).toHaveLength(1);
  });
});

describe('hardening', () => {
  it('lets no hostile URL, ref or id reach git, and makes no file', async () => {
    const spy = await spyOnGit(folder);
    const cache = await freshCache();
    const after = at('two');
    for (const url of HOSTILE_URLS) {
      expect([url, (await engineFailure(ask({ after }, { cache, url, by: spy.source }))).code]).toEqual([url, 'context-rejected']);
    }
    for (const hostile of [...HOSTILE_REFS, 'main', 'HEAD']) {
      for (const range of [{ after: hostile }, { after, before: hostile }, { after, afterRef: hostile }, { after, against: hostile }]) {
        expect([range, (await engineFailure(ask(range, { cache, by: spy.source }))).code]).toEqual([range, 'context-rejected']);
      }
    }
    expect(await spy.argv()).toBe('--version\n');
    expect(await readdir(cache)).toEqual([]);
  });

  it('runs nothing that a repository brings, and ends options before names', async () => {
    const canary = join(folder, 'canary');
    const ids: string[] = [];
    await server.repository('hostile', async (work) => {
      ids.push(await work.commit('one'));
      await writeFile(join(work.directory, '.gitattributes'), '* filter=evil diff=evil textconv=evil\n');
      await writeFile(join(work.directory, '.gitconfig'), `[diff "evil"]\n\tcommand = touch ${canary}\n\ttextconv = touch ${canary}\n`);
      ids.push(await work.commit('two'));
    });
    const spy = await spyOnGit(folder);
    const range = { before: ids[0] ?? '', after: ids[1] ?? '' };
    const { paths } = await ask(range, { url: `${server.url}/smart/hostile.git`, by: spy.source });
    expect(paths).toEqual(['.gitattributes', '.gitconfig']);
    expect(await readdir(folder)).not.toContain('canary');
    const argv = await spy.argv();
    expect(argv).toMatch(/^fetch .* -- origin \+[0-9a-f]{40}:refs\/slipway\/after$/m);
    expect(argv).toMatch(/^diff-tree .* --end-of-options [0-9a-f]{40} [0-9a-f]{40} --$/m);
    expect(await spy.environment()).not.toContain('canary-environment');
  });
});

describe('a commit that is checked out through a ref', () => {
  it('is found behind a ref where the server serves no ids, and refused when the ref does not lead to it', async () => {
    const old = await onlyTips();
    const above = await git(bare, 'commit-tree', '-p', at('orphan'), '-m', 'above', `${at('orphan')}^{tree}`);
    await git(bare, 'update-ref', 'refs/changes/9', above.trim());
    await git(bare, 'update-ref', '-d', 'refs/heads/other');
    const url = `file://${bare}`;
    const checkout = async (ref: string, throughRef?: string) => {
      const directory = await mkdtemp(join(folder, 'checkout-'));
      const request = { url, ref, directory, signal, ...(throughRef === undefined ? {} : { throughRef }) };
      return { directory, found: await old.checkout(request) };
    };
    expect((await checkout(at('feature'), 'refs/pull/7/head')).found).toEqual({ commit: at('feature'), branch: '' });
    // No branch leads to it.
    await engineFailure(checkout(at('orphan')));
    expect((await checkout(at('orphan'), 'refs/changes/9')).found.commit).toBe(at('orphan'));
    // Not the tip, but below it.
    expect((await checkout(at('two'), 'refs/pull/7/head')).found.commit).toBe(at('two'));
    const gone = await mkdtemp(join(folder, 'gone-'));
    const refused = await engineFailure(
      old.checkout({ url, ref: 'd'.repeat(40), throughRef: 'refs/pull/7/head', directory: gone, signal }),
    );
    expect(refused.message).toContain('has no');
    expect(await readdir(gone)).toEqual([]);
    // A ref that has gone does not hinder what branches lead to.
    expect((await checkout(at('one'), 'refs/pull/99/head')).found.commit).toBe(at('one'));
  });

  it('takes no hostile ref', async () => {
    const spy = await spyOnGit(folder);
    const directory = await mkdtemp(join(folder, 'none-'));
    for (const throughRef of HOSTILE_REFS) {
      const request = { url: `${server.url}/smart/app.git`, ref: at('one'), throughRef, directory, signal };
      expect([throughRef, (await engineFailure(spy.source.checkout(request))).code]).toEqual([throughRef, 'context-rejected']);
    }
    expect(await spy.argv()).toBe('--version\n');
  });
});
