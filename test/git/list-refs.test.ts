import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitSource } from '../../src/git/git-source.ts';
import { engineFailure } from '../support/engine-failure.ts';
import { type GitServer, git, startGitServer } from '../support/git-server.ts';
import { startHttpServer } from '../support/http-server.ts';
import { startSshServer } from '../support/ssh-server.ts';
import { HOSTILE_REFS, HOSTILE_URLS } from './hostile-corpus.ts';
import { spyOnGit } from './spy-on-git.ts';

const addresses = { allowPrivate: true, allowLoopback: true };
const source = createGitSource({ addresses });
const commits: Record<string, string> = {};
let server: GitServer;
let folder: string;
let bare: string;

function list(url: string, by = source, patterns?: readonly string[], signal = new AbortController().signal) {
  return by.listRefs({ url, signal, ...(patterns === undefined ? {} : { patterns }) });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-refs-test-'));
  server = await startGitServer();
  bare = await server.repository('app', async (work) => {
    commits['one'] = await work.commit('one');
    await work.git('tag', '-a', '-m', 'release', 'v1');
    await work.git('tag', 'light');
    commits['tag object'] = (await work.git('rev-parse', 'refs/tags/v1')).trim();
    commits['two'] = await work.commit('two');
    await work.git('update-ref', 'refs/heads/$(touch${IFS}x)', 'HEAD');
    await work.git('update-ref', 'refs/heads/{{.Run.ID}}', 'HEAD');
    await work.git('update-ref', 'refs/pull/7/head', 'HEAD');
    await work.git('update-ref', 'refs/pull/7/merge', 'HEAD');
    await work.git('update-ref', 'refs/merge-requests/8/head', 'HEAD');
    await work.git('update-ref', 'refs/notes/commits', 'HEAD');
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

function expected(): Record<string, string | undefined> {
  const { one, two } = commits;
  return {
    'refs/heads/main': two,
    'refs/heads/$(touch${IFS}x)': two,
    'refs/heads/{{.Run.ID}}': two,
    'refs/tags/v1': one,
    'refs/tags/light': one,
    'refs/pull/7/head': two,
    'refs/merge-requests/8/head': two,
  };
}

describe('listRefs', () => {
  it('lists branches, peeled tags and heads of pull requests, over smart HTTP in one question', async () => {
    const before = server.requests.length;
    const found = await list(`${server.url}/smart/app.git`);
    expect(found.head).toBe('refs/heads/main');
    expect(Object.fromEntries(found.refs)).toEqual(expected());
    expect(Object.fromEntries(found.tagObjects)).toEqual({ 'refs/tags/v1': commits['tag object'] });
    expect(server.requests.slice(before).filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  it('lists them over dumb HTTP, over ssh and of local repositories', async () => {
    await git(bare, 'update-server-info');
    expect(Object.fromEntries((await list(`${server.url}/dumb/app.git`)).refs)).toEqual(expected());
    await using ssh = await startSshServer();
    const overSsh = createGitSource({ addresses, environment: ssh.environment });
    const found = await list(`ssh://git@127.0.0.1:${ssh.port}${bare}`, overSsh);
    expect([found.head, Object.fromEntries(found.refs)]).toEqual(['refs/heads/main', expected()]);
    expect(ssh.commands).toEqual([`git-upload-pack '${bare}'`]);
    const local = createGitSource({ addresses, allowFile: true });
    expect(Object.fromEntries((await list(`file://${bare}`, local)).refs)).toEqual(expected());
    expect((await engineFailure(list(`file://${bare}`))).code).toBe('context-rejected');
  });

  it('narrows by patterns, and knows an empty repository', async () => {
    const url = `${server.url}/smart/app.git`;
    const found = await list(url, source, ['refs/heads/main', 'refs/pull/*/head']);
    expect([found.head, ...found.refs.keys()]).toEqual(['refs/heads/main', 'refs/heads/main', 'refs/pull/7/head']);
    expect((await list(url, source, ['refs/heads/none'])).refs.size).toBe(0);
    await git(server.root, 'init', '-q', '--bare', 'empty.git');
    expect((await list(`${server.url}/smart/empty.git`)).refs.size).toBe(0);
  });

  it('says what is wrong: no repository, no server, no access, cancelled', async () => {
    expect(await engineFailure(list(`${server.url}/smart/none.git`))).toMatchObject({ code: 'context-failed', transient: false });
    const closed = await startHttpServer(() => undefined);
    await closed[Symbol.asyncDispose]();
    expect(await engineFailure(list(`${closed.url}/r.git`))).toMatchObject({ code: 'context-failed', transient: true });
    await using locked = await startGitServer({ authorization: `Basic ${Buffer.from('dummy:tok-canary').toString('base64')}` });
    await locked.repository('private', (work) => work.commit('one').then(() => undefined));
    const url = `${locked.url}/smart/private.git`;
    expect((await engineFailure(list(url))).message).toContain('refused access');
    const { signal } = new AbortController();
    expect((await source.listRefs({ url, signal, token: 'tok-canary' })).refs.size).toBe(1);
    const refused = await engineFailure(source.listRefs({ url, signal, token: 'wrong-canary' }));
    expect(`${refused.message}${refused.help}${String(refused.stack)}`).not.toContain('canary');
    await engineFailure(list(url, source, [], AbortSignal.abort()));
  });

  it('asks nobody that the address policy forbids', async () => {
    const strict = createGitSource({ addresses: { allowPrivate: false, allowLoopback: false } });
    const before = server.requests.length;
    for (const url of [`${server.url}/smart/app.git`, 'ssh://git@127.0.0.1/x.git', 'http://169.254.169.254/x.git']) {
      expect((await engineFailure(list(url, strict))).code).toBe('context-rejected');
    }
    expect(server.requests.length).toBe(before);
  });

  it('takes no more than it can hold', async () => {
    const advertisement = (function* () {
      const packet = (text: string): string => (text.length + 4).toString(16).padStart(4, '0') + text;
      yield `${packet('# service=git-upload-pack\n')}0000`;
      yield packet(`${'a'.repeat(40)} refs/heads/main\0symref=HEAD:refs/heads/main object-format=sha1\n`);
      for (let number = 0; ; number += 1) yield packet(`${'a'.repeat(40)} refs/heads/b${number}\n`);
    })();
    const controller = new AbortController();
    let chunks = 0;
    await using endless = await startHttpServer((_request, response) => {
      response.setHeader('content-type', 'application/x-git-upload-pack-advertisement');
      const more = (): void => {
        chunks += 1;
        if (chunks === 40) controller.abort();
        const chunk = Array.from({ length: 2000 }, () => advertisement.next().value ?? '').join('');
        if (!response.destroyed) response.write(chunk, () => setImmediate(more));
      };
      more();
    });
    const many = Array.from({ length: 200_001 }, (_, number) => `${commits['two']} refs/heads/n${number}\n`);
    await server.repository('many', (work) => work.commit('x').then(() => undefined));
    const packed = join(server.root, 'many.git');
    const id = (await git(packed, 'rev-parse', 'HEAD')).trim();
    await writeFile(join(packed, 'packed-refs'), many.map((line) => line.replace(commits['two'] ?? '', id)).join(''));
    const error = await engineFailure(list(`${server.url}/smart/many.git`));
    expect(error).toMatchObject({ code: 'context-rejected', message: expect.stringContaining('more than 200000 refs') });
    expect((await engineFailure(list(`${endless.url}/r.git`, source, [], controller.signal))).message).toContain('cancelled');
  });

  it('lets no hostile URL or pattern reach git, and makes no file', async () => {
    const spy = await spyOnGit(folder);
    const before = await readdir(folder);
    const good = `${server.url}/smart/app.git`;
    for (const url of HOSTILE_URLS) expect([url, (await engineFailure(list(url, spy.source))).code]).toEqual([url, 'context-rejected']);
    for (const pattern of HOSTILE_REFS) {
      // A star is what patterns are for.
      if (/^refs\/[^~^:?[\\]*\*/.test(pattern)) continue;
      expect([pattern, (await engineFailure(list(good, spy.source, [pattern]))).code]).toEqual([pattern, 'context-rejected']);
    }
    expect(await spy.argv()).toBe('--version\n');
    expect(await readdir(folder)).toEqual(before);
  });

  it('gives git a scrubbed environment and ends options before names', async () => {
    const spy = await spyOnGit(folder);
    await list(`${server.url}/smart/app.git`, spy.source, ['refs/heads/main']);
    expect(await spy.argv()).toContain(`ls-remote --symref -- ${server.url}/smart/app.git HEAD refs/heads/main\n`);
    const environment = await spy.environment();
    for (const bad of ['canary-environment', '/bin/evil', 'slipway-pwned', '/nonexistent']) expect(environment).not.toContain(bad);
    for (const good of ['GIT_CONFIG_GLOBAL=/dev/null', 'GIT_ALLOW_PROTOCOL=http', 'GIT_CEILING_DIRECTORIES='])
      expect(environment).toContain(good);
  });
});
