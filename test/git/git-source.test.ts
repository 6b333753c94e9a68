import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitSource } from '../../src/git/git-source.ts';
import { engineFailure } from '../support/engine-failure.ts';
import { type GitServer, git, startGitServer } from '../support/git-server.ts';
import { startHttpServer } from '../support/http-server.ts';
import { waitFor } from '../support/wait-for.ts';
import { HOSTILE_REFS, HOSTILE_URLS } from './hostile-corpus.ts';
import { spyOnGit } from './spy-on-git.ts';

const open = { allowPrivate: true, allowLoopback: true };
const source = createGitSource({ addresses: open });
let server: GitServer;
let folder: string;
const commits: Record<string, string> = {};

async function freshDirectory(): Promise<string> {
  return mkdtemp(join(folder, 'checkout-'));
}
async function checkout(url: string, ref = '', by = source, signal = new AbortController().signal) {
  const directory = await freshDirectory();
  const notes: string[] = [];
  const result = await by.checkout({ url, ref, directory, signal, onProgress: (note) => notes.push(note) });
  return { ...result, directory, notes, read: (name: string) => readFile(join(directory, name), 'utf8') };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-git-'));
  server = await startGitServer();
  const bare = await server.repository('app', async (work) => {
    await writeFile(join(work.directory, 'file'), 'one');
    commits['first'] = await work.commit('one');
    await work.git('tag', '-a', '-m', 'release', 'v1');
    await writeFile(join(work.directory, 'file'), 'two');
    commits['second'] = await work.commit('two');
    await work.git('checkout', '-q', '-b', 'feature/x');
    await writeFile(join(work.directory, 'file'), 'feature');
    commits['feature'] = await work.commit('feature');
    await work.git('update-ref', 'refs/pull/7/head', 'HEAD');
    await work.git('checkout', '-q', 'main');
  });
  await git(bare, 'config', 'uploadpack.allowAnySHA1InWant', 'false');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe('refs', () => {
  it.each([
    ['', 'two', 'second', 'main'],
    ['main', 'two', 'second', 'main'],
    ['feature/x', 'feature', 'feature', 'feature/x'],
    ['v1', 'one', 'first', ''],
    ['refs/tags/v1', 'one', 'first', ''],
    ['refs/heads/feature/x', 'feature', 'feature', 'feature/x'],
    ['pull/7/head', 'feature', 'feature', ''],
  ])('checks out %j over smart HTTP', async (ref, content, commit, branch) => {
    const result = await checkout(`${server.url}/smart/app.git`, ref);
    expect(await result.read('file')).toBe(content);
    expect(result).toMatchObject({ commit: commits[commit], branch });
    expect(await source.describe(result.directory)).toEqual({ commit: commits[commit], branch, remote: `${server.url}/smart/app.git` });
  });

  it('fetches one commit deep where the server can', async () => {
    const result = await checkout(`${server.url}/smart/app.git`, 'main');
    expect((await git(result.directory, 'rev-list', '--count', 'HEAD')).trim()).toBe('1');
  });

  it.each(['', 'main', 'v1'])('checks out %j over dumb HTTP, in full', async (ref) => {
    const result = await checkout(`${server.url}/dumb/app.git`, ref);
    expect(await result.read('file')).toBe(ref === 'v1' ? 'one' : 'two');
    expect(await readdir(join(result.directory, '.git'))).not.toContain('shallow');
  });

  it('checks out commits: full, shortened, and where the server serves no ids', async () => {
    const first = commits['first'] ?? '';
    for (const path of ['smart', 'dumb']) {
      for (const ref of [first, first.slice(0, 9), first.toUpperCase()]) {
        const result = await checkout(`${server.url}/${path}/app.git`, ref);
        expect(result).toMatchObject({ commit: first, branch: '' });
        expect(await result.read('file')).toBe('one');
      }
    }
  });

  it('reads repositories with SHA-256 ids', async () => {
    await server.repository(
      'sha256',
      async (work) => {
        await writeFile(join(work.directory, 'file'), 'long');
        commits['long'] = await work.commit('long');
      },
      { objectFormat: 'sha256' },
    );
    for (const ref of ['', 'main', commits['long'] ?? ''])
      expect((await checkout(`${server.url}/smart/sha256.git`, ref)).commit).toBe(commits['long']);
  });

  it('says what is missing and leaves the directory empty', async () => {
    const directory = await freshDirectory();
    const signal = new AbortController().signal;
    const url = `${server.url}/smart/app.git`;
    for (const ref of ['nowhere', 'deadbeef', 'f'.repeat(40), 'pull/99/head']) {
      const error = await engineFailure(source.checkout({ url, ref, directory, signal }));
      expect(error).toMatchObject({ code: 'context-failed' });
      expect(error.message).toContain('has no');
      expect(await readdir(directory)).toEqual([]);
    }
    const missing = await engineFailure(source.checkout({ url: `${server.url}/smart/none.git`, ref: '', directory, signal }));
    expect(missing.message).toMatch(/has no such repository/);
  });

  it('follows a redirect of the server itself and checks where it leads', async () => {
    const result = await checkout(`${server.url}/moved/app.git`, 'main');
    expect(await result.read('file')).toBe('two');
    const strict = createGitSource({ addresses: { allowPrivate: false, allowLoopback: false } });
    for (const url of [
      `${server.url}/smart/app.git`,
      `http://localhost:${new URL(server.url).port}/smart/app.git`,
      'ssh://git@127.0.0.1/x.git',
      'git@localhost:x.git',
      'ssh://2130706433/x.git',
    ]) {
      expect((await engineFailure(checkout(url, '', strict))).code).toBe('context-rejected');
    }
  });

  it('ends at the signal and leaves nothing', async () => {
    const directory = await freshDirectory();
    const controller = new AbortController();
    const asking = engineFailure(
      source.checkout({
        url: `${server.url}/smart/app.git`,
        ref: '',
        directory,
        signal: controller.signal,
        onProgress: () => controller.abort(),
      }),
    );
    expect((await asking).message).toMatch(/cancelled/);
    expect(await readdir(directory)).toEqual([]);
  });
});

describe('cancel', () => {
  it('stops git and its helpers in the middle of a transfer', async () => {
    const stalled = Promise.withResolvers<void>();
    const advertisement = await fetch(`${server.url}/smart/app.git/info/refs?service=git-upload-pack`).then((reply) => reply.arrayBuffer());
    await using hanging = await startHttpServer((request, response) => {
      if (request.method === 'GET')
        response.setHeader('content-type', 'application/x-git-upload-pack-advertisement').end(Buffer.from(advertisement));
      else stalled.resolve();
    });
    const controller = new AbortController();
    const directory = await freshDirectory();
    const url = `${hanging.url}/app.git`;
    const asking = engineFailure(source.checkout({ url, ref: 'main', directory, signal: controller.signal }));
    await stalled.promise;
    expect(await processesNaming(url)).not.toEqual([]);
    controller.abort();
    expect((await asking).message).toContain('cancelled');
    await waitFor(async () => ((await processesNaming(url)).length === 0 ? true : undefined));
    expect(await readdir(directory)).toEqual([]);
  });
});

async function processesNaming(text: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return commands.filter((command) => command.includes(text));
}

describe('credentials', () => {
  const token = 'canary-token-5f1c';
  it('sends a token to its server only, and never through argv', async () => {
    const authorization = `Basic ${Buffer.from(`dummy:${token}`).toString('base64')}`;
    await using locked = await startGitServer({ authorization });
    await locked.repository('private', async (work) => {
      await writeFile(join(work.directory, 'file'), 'private');
      await work.commit('one');
    });
    const { host } = new URL(locked.url);
    const spy = await spyOnGit(folder);
    const result = await checkout(`http://${token}@${host}/smart/private.git`, 'main', spy.source);
    expect(await result.read('file')).toBe('private');
    expect(await readFile(join(result.directory, '.git/config'), 'utf8')).not.toContain(token);
    const seen = await spy.argv();
    expect(seen).toContain('fetch');
    expect(seen).not.toContain(token);
    expect(seen).not.toContain(Buffer.from(`dummy:${token}`).toString('base64'));
    const refused = await engineFailure(checkout(`http://wrong-${token}@${host}/smart/private.git`, 'main'));
    expect(`${refused.message}${refused.help}${String(refused.stack)}`).not.toContain(token);
    expect(refused.message).toContain('refused access');
  });

  it('takes a token beside the URL, and refuses to send it in clear over a network', async () => {
    const authorization = `Basic ${Buffer.from(`dummy:${token}`).toString('base64')}`;
    await using locked = await startGitServer({ authorization });
    await locked.repository('private', async (work) => {
      await writeFile(join(work.directory, 'file'), 'private');
      await work.commit('one');
    });
    const spy = await spyOnGit(folder);
    const directory = await freshDirectory();
    const request = { url: `${locked.url}/smart/private.git`, ref: 'main', directory, signal: new AbortController().signal, token };
    await spy.source.checkout(request);
    expect(await readFile(join(directory, 'file'), 'utf8')).toBe('private');
    expect(await readFile(join(directory, '.git/config'), 'utf8')).not.toContain(token);
    expect(await spy.argv()).not.toContain(token);
    for (const url of ['http://git.example.com/a/b.git', 'ssh://git@git.example.com/a/b.git', 'git://git.example.com/a/b.git']) {
      const refused = await engineFailure(spy.source.checkout({ ...request, url, directory: await freshDirectory() }));
      expect(refused).toMatchObject({ code: 'context-rejected', message: expect.stringContaining('in clear') });
    }
  });

  it('does not take a token along to another server of a redirect', async () => {
    await using elsewhere = await startGitServer();
    await elsewhere.repository('app', async (work) => {
      await work.commit('one');
    });
    await using first = await startHttpServer((request, response) =>
      response.writeHead(302, { location: `${elsewhere.url}${request.url}` }).end(),
    );
    const { host } = new URL(first.url);
    await checkout(`http://${token}@${host}/smart/app.git`, 'main');
    expect(elsewhere.requests.length).toBeGreaterThan(1);
    expect(elsewhere.requests.filter((request) => request.authorization !== undefined)).toEqual([]);
  });
});

describe('hardening', () => {
  it('gives git a scrubbed environment and ends options before names', async () => {
    const spy = await spyOnGit(folder);
    await checkout(`${server.url}/smart/app.git`, 'feature/x', spy.source);
    const environment = await spy.environment();
    for (const bad of ['canary-environment', '/bin/evil', 'slipway-pwned', '/nonexistent']) expect(environment).not.toContain(bad);
    for (const good of ['GIT_CONFIG_NOSYSTEM=1', 'GIT_CONFIG_GLOBAL=/dev/null', 'GIT_TERMINAL_PROMPT=0', 'GIT_ALLOW_PROTOCOL=http']) {
      expect(environment).toContain(good);
    }
    expect(environment).toContain('GIT_SSH_COMMAND=ssh -oBatchMode=yes');
    const argv = await spy.argv();
    expect(argv).toMatch(/^fetch --no-tags --depth 1 -- origin feature\/x$/m);
    expect(argv).toMatch(new RegExp(`^remote add -- origin ${server.url}/smart/app.git$`, 'm'));
  });

  it('lets no hostile URL or ref reach git, and makes no file', async () => {
    const spy = await spyOnGit(folder);
    const before = (await readdir(folder)).length;
    const directory = await freshDirectory();
    const good = `${server.url}/smart/app.git`;
    const requests = [...HOSTILE_URLS.map((url) => ({ url, ref: 'main' })), ...HOSTILE_REFS.map((ref) => ({ url: good, ref }))];
    for (const request of requests) {
      const error = await engineFailure(spy.source.checkout({ ...request, directory, signal: new AbortController().signal }));
      expect([request, error.code]).toEqual([request, 'context-rejected']);
    }
    expect(requests.length).toBeGreaterThan(200);
    expect(await spy.argv()).toBe('--version\n');
    expect(await readdir(directory)).toEqual([]);
    expect((await readdir(folder)).length).toBe(before + 1);
  });

  it('speaks ssh without prompts, with the path quoted for the remote shell', async () => {
    const bin = await mkdtemp(join(folder, 'ssh-'));
    // Stands in for ssh: drops the options and the host and runs the command here, as sshd would there.
    await writeFile(
      join(bin, 'ssh'),
      `#!/bin/sh\nprintf '%s\\n' "$@" >> ${bin}/args\nwhile [ "\${1#-}" != "$1" ]; do case "$1" in -p|-o) shift;; esac; shift; done\nshift\nexec sh -c "$*"\n`,
    );
    await chmod(join(bin, 'ssh'), 0o755);
    const environment = { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
    const result = await checkout(`git@localhost:${server.root}/app.git`, 'main', createGitSource({ addresses: open, environment }));
    expect(await result.read('file')).toBe('two');
    const args = (await readFile(join(bin, 'args'), 'utf8')).split('\n');
    expect(args.slice(0, 4)).toEqual(['-oBatchMode=yes', '-oPermitLocalCommand=no', '-oForwardAgent=no', '-oClearAllForwardings=yes']);
    expect(args).toContain('git@localhost');
  });

  it('reads the local file system only when allowed', async () => {
    expect((await engineFailure(checkout(`file://${server.root}/app.git`))).code).toBe('context-rejected');
    const allowing = createGitSource({ addresses: open, allowFile: true });
    expect(await (await checkout(`file://${server.root}/app.git`, 'v1', allowing)).read('file')).toBe('one');
  });

  it('runs nothing that a repository or the machine brings: hooks, filters, monitors, templates', async () => {
    const canary = join(folder, 'canary-hook');
    await server.repository('hostile', async (work) => {
      await writeFile(join(work.directory, '.gitattributes'), '* filter=evil diff=evil\n');
      await writeFile(join(work.directory, '.gitconfig'), `[filter "evil"]\n\tsmudge = touch ${canary}\n`);
      await mkdir(join(work.directory, 'hooks'));
      await writeFile(join(work.directory, 'hooks/post-checkout'), `#!/bin/sh\ntouch ${canary}\n`, { mode: 0o755 });
      await work.commit('evil');
    });
    const home = await mkdtemp(join(folder, 'home-'));
    const template = await mkdtemp(join(folder, 'template-'));
    await mkdir(join(template, 'hooks'));
    await writeFile(join(template, 'hooks/post-checkout'), `#!/bin/sh\ntouch ${canary}\n`, { mode: 0o755 });
    await writeFile(
      join(home, '.gitconfig'),
      `[filter "evil"]\n\tsmudge = touch ${canary}\n[init]\n\ttemplateDir = ${template}\n[core]\n\tfsmonitor = touch ${canary}\n`,
    );
    const environment = { ...process.env, HOME: home, GIT_TEMPLATE_DIR: template, XDG_CONFIG_HOME: home };
    await checkout(`${server.url}/smart/hostile.git`, 'main', createGitSource({ addresses: open, environment }));
    expect(await readdir(folder)).not.toContain('canary-hook');
  });

  it('keeps symbolic links as links and writes nothing through them', async () => {
    const outside = await mkdtemp(join(folder, 'outside-'));
    await server.repository('links', async (work) => {
      await symlink(outside, join(work.directory, 'link'));
      await work.commit('link');
    });
    await checkout(`${server.url}/smart/links.git`);
    expect(await readdir(outside)).toEqual([]);
  });

  it('describes without running the monitor of a stranger, and knows what is no repository', async () => {
    const directory = await freshDirectory();
    expect(await source.describe(directory)).toBeUndefined();
    await git(directory, 'init', '-q', '-b', 'topic');
    expect(await source.describe(directory)).toBeUndefined();
    await git(directory, 'commit', '-q', '--allow-empty', '-m', 'x');
    const canary = join(folder, 'canary-monitor');
    await git(directory, 'config', 'core.fsmonitor', `touch ${canary}`);
    await git(directory, 'remote', 'add', 'origin', 'https://user:pw@example.com/r.git');
    expect(await source.describe(directory)).toMatchObject({ branch: 'topic', remote: 'https://<REDACTED>@example.com/r.git' });
    expect(await readdir(folder)).not.toContain('canary-monitor');
  });

  it('describes what git itself would say: packed refs, linked work trees, detached heads, sub-directories', async () => {
    const directory = await freshDirectory();
    const ask = async (...args: string[]): Promise<string> => (await git(directory, ...args)).trim();
    await git(directory, 'init', '-q', '-b', 'feature/deep');
    await git(directory, 'commit', '-q', '--allow-empty', '-m', 'x');
    await git(directory, 'remote', 'add', 'origin', 'git@host:o/r.git');
    await git(directory, 'worktree', 'add', '-q', '-b', 'linked', join(folder, 'linked'));
    await git(directory, 'pack-refs', '--all');
    await mkdir(join(directory, 'sub'));
    const commit = await ask('rev-parse', 'HEAD');
    const expected = { commit, branch: 'feature/deep', remote: 'git@host:o/r.git' };
    expect(await source.describe(directory)).toEqual(expected);
    expect(await source.describe(join(directory, 'sub'))).toEqual(expected);
    expect(await source.describe(join(folder, 'linked'))).toEqual({ ...expected, branch: 'linked' });
    await git(directory, 'checkout', '-q', '--detach');
    expect(await source.describe(directory)).toEqual({ ...expected, branch: '' });
    for (const head of ['ref: ../../../etc/passwd', 'ref: refs/../../x', 'nonsense', '']) {
      await writeFile(join(directory, '.git/HEAD'), head);
      expect(await source.describe(directory)).toBeUndefined();
    }
  });

  it('says so when git is missing', async () => {
    const none = createGitSource({ addresses: open, environment: { PATH: folder } });
    expect((await engineFailure(checkout(`${server.url}/smart/app.git`, '', none))).message).toBe('git is not installed');
    expect(await none.describe(folder)).toBeUndefined();
  });
});
