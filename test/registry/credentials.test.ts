import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCredentialSource, type ExplicitCredential, parseRegistryCredential } from '../../src/registry/credentials.ts';
import { engineFailure } from '../support/engine-failure.ts';
import { waitFor } from '../support/wait-for.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-credentials-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A docker configuration folder and a folder of helper programs. */
async function setUp(config: unknown, helpers: Readonly<Record<string, string>> = {}) {
  const home = await mkdtemp(join(folder, 'home-'));
  await mkdir(join(home, 'bin'));
  await writeFile(join(home, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  for (const [name, script] of Object.entries(helpers)) {
    await writeFile(join(home, 'bin', `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
    await chmod(join(home, 'bin', `docker-credential-${name}`), 0o755);
  }
  const environment = {
    ...process.env,
    DOCKER_CONFIG: home,
    PATH: `${join(home, 'bin')}:${process.env['PATH']}`,
    REGISTRY_PASSWORD: 'from-env',
  };
  const warnings: string[] = [];
  const source = (explicit: readonly ExplicitCredential[] = []) =>
    createCredentialSource({ explicit, environment, onWarning: (message) => warnings.push(message) });
  return { home, source, warnings };
}

describe("docker's configuration", () => {
  it('reads every spelling of a host and of a login', async () => {
    const { source } = await setUp({
      auths: {
        'https://index.docker.io/v1/': { auth: base64('hub:pw:with:colons') },
        'https://reg.example.com': { identitytoken: 'token', auth: base64('x:y') },
        'http://plain.example.com/v2/': { username: 'u', password: 'p' },
        'UPPER.example.com:5000': { auth: base64('a:b') },
        'quay.io/one/repository': { auth: base64('not:for-the-host') },
        'empty.example.com': {},
      },
    });
    const from = source();
    const basic = (username: string, password: string) => ({ kind: 'basic', username, password });
    expect(await from.forHost('docker.io')).toEqual(basic('hub', 'pw:with:colons'));
    expect(await from.forHost('index.docker.io')).toEqual(basic('hub', 'pw:with:colons'));
    expect(await from.forHost('reg.example.com')).toEqual({ kind: 'identity-token', token: 'token' });
    expect(await from.forHost('plain.example.com')).toEqual(basic('u', 'p'));
    expect(await from.forHost('upper.example.com:5000')).toEqual(basic('a', 'b'));
    for (const host of ['quay.io', 'empty.example.com', 'other.example.com', 'example.com', 'upper.example.com', 'sub.reg.example.com']) {
      expect(await from.forHost(host)).toBeUndefined();
    }
    expect(from.explicitHosts()).toEqual([]);
  });

  it('does without the file, and says when it is broken without quoting it', async () => {
    const none = createCredentialSource({ explicit: [], dockerConfigPath: join(folder, 'none.json') });
    expect(await none.forHost('docker.io')).toBeUndefined();
    const { source } = await setUp('{"auths": {"h": {"auth": "canary"}}');
    const error = await engineFailure(source().forHost('h'));
    expect(error.message).toMatch(/config\.json is not valid JSON$/);
    expect(JSON.stringify([error.message, error.help, error.cause])).not.toContain('canary');
  });
});

describe('credential helpers', () => {
  const answer = (username: string, secret: string): string =>
    `cat > "$0.asked"; printf '{"ServerURL":"x","Username":"${username}","Secret":"${secret}"}'`;

  it('asks the helper of a host, then the store, then the file', async () => {
    const { home, source } = await setUp(
      {
        credHelpers: { 'ecr.example.com': 'ecr', 'docker.io': 'hub' },
        credsStore: 'store',
        auths: { 'file.example.com': { auth: base64('f:file') } },
      },
      {
        ecr: answer('AWS', 'ecr-secret'),
        hub: answer('<token>', 'hub-token'),
        store: `read server; case "$server" in store.example.com) printf '{"Username":"s","Secret":"store-secret"}';; *) echo 'credentials not found in native keychain'; exit 1;; esac`,
      },
    );
    const from = source();
    expect(await from.forHost('ecr.example.com')).toEqual({ kind: 'basic', username: 'AWS', password: 'ecr-secret' });
    expect(await readFile(join(home, 'bin/docker-credential-ecr.asked'), 'utf8')).toBe('ecr.example.com');
    expect(await from.forHost('docker.io')).toEqual({ kind: 'identity-token', token: 'hub-token' });
    expect(await readFile(join(home, 'bin/docker-credential-hub.asked'), 'utf8')).toBe('https://index.docker.io/v1/');
    expect(await from.forHost('store.example.com')).toMatchObject({ password: 'store-secret' });
    expect(await from.forHost('file.example.com')).toMatchObject({ password: 'file' });
    expect(await from.forHost('unknown.example.com')).toBeUndefined();
  });

  it('warns of a helper that is not installed and goes on without it', async () => {
    const { source, warnings } = await setUp({ credsStore: 'desktop-none', auths: { h: { auth: base64('a:b') } } });
    expect(await source().forHost('h')).toMatchObject({ password: 'b' });
    expect(warnings).toEqual([expect.stringContaining('docker-credential-desktop-none')]);
  });

  it.each([
    ['echo canary-secret; echo canary-secret >&2; exit 3', 'exit code 3'],
    ['echo canary-secret', 'no credential'],
    ['printf \'{"Username":"a","Secret":canary-secret}\'', 'no credential'],
  ])('says that a helper failed, and nothing of what it printed: %s', async (script, words) => {
    const { source } = await setUp({ credHelpers: { h: 'bad' } }, { bad: script });
    const error = await engineFailure(source().forHost('h'));
    expect(error.message).toContain(words);
    expect(JSON.stringify([error.message, error.help, String(error.cause)])).not.toContain('canary');
  });

  it('runs no program that a name could smuggle in', async () => {
    for (const name of ['../../bin/sh', 'a b', '-x', 'a;id', '']) {
      const { source } = await setUp({ credHelpers: { h: name } });
      if (name === '') expect(await source().forHost('h')).toBeUndefined();
      else expect((await engineFailure(source().forHost('h'))).message).toContain('no valid name');
    }
  });

  it('shows no secret in the arguments of any process while a slow helper runs', async () => {
    const { home, source } = await setUp(
      { credHelpers: { h: 'slow' } },
      { slow: `echo ready > "$0.ready"; while [ ! -e "$0.go" ]; do sleep 0.02; done; printf '{"Username":"a","Secret":"canary-slow"}'` },
    );
    const helper = join(home, 'bin/docker-credential-slow');
    const from = source([{ host: 'other', username: 'u', password: { kind: 'value', value: 'canary-value' } }]);
    const asking = from.forHost('h');
    await from.forHost('other');
    await waitFor(() => readFile(`${helper}.ready`, 'utf8').catch(() => undefined));
    const commands = await commandLines();
    expect(commands.some((line) => line.includes('docker-credential-slow'))).toBe(true);
    expect(commands.filter((line) => line.includes('canary-slow') || line.includes('canary-value'))).toEqual([]);
    await writeFile(`${helper}.go`, '');
    expect(await asking).toMatchObject({ password: 'canary-slow' });
  });

  it('ends a helper that hangs when the last one who waits for it has been cancelled', async () => {
    const { home, source } = await setUp({ credsStore: 'hangs' }, { hangs: `echo ready > "$0.ready"; while :; do sleep 1; done` });
    const helper = join(home, 'bin/docker-credential-hangs');
    const from = source([]);
    const first = new AbortController();
    const second = new AbortController();
    const asking = [first, second].map(({ signal }) => from.forHost('h', signal));
    const outcomes = Promise.allSettled(asking);
    await waitFor(() => readFile(`${helper}.ready`, 'utf8').catch(() => undefined));
    first.abort(new Error('first'));
    await expect(asking[0]).rejects.toThrow('first');
    expect((await commandLines()).some((line) => line.includes(helper))).toBe(true);
    second.abort(new Error('second'));
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await waitFor(async () => ((await commandLines()).some((line) => line.includes(helper)) ? undefined : true));
  });
});

async function commandLines(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  return Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
}

describe('explicit credentials', () => {
  it('come first, the last one of a host winning, and are read when asked for', async () => {
    const { home, source } = await setUp({ auths: { h: { auth: base64('file:file') } } });
    await writeFile(join(home, 'password'), 'from-file\n');
    const from = source([
      { host: 'h', username: 'first', password: { kind: 'value', value: 'x' } },
      { host: 'H', username: 'second', password: { kind: 'env', name: 'REGISTRY_PASSWORD' } },
      { host: 'https://index.docker.io/v1/', username: '<token>', password: { kind: 'file', path: join(home, 'password') } },
      { host: 'bad', username: 'u', password: { kind: 'env', name: 'NOT_SET' } },
      { host: 'gone', username: 'u', password: { kind: 'file', path: join(home, 'none') } },
    ]);
    expect(from.explicitHosts()).toEqual(['h', 'docker.io', 'bad', 'gone']);
    expect(await from.forHost('h')).toEqual({ kind: 'basic', username: 'second', password: 'from-env' });
    expect(await from.forHost('docker.io')).toEqual({ kind: 'identity-token', token: 'from-file' });
    expect((await engineFailure(from.forHost('bad'))).message).toContain('NOT_SET is not set');
    expect((await engineFailure(from.forHost('gone'))).message).toContain('cannot read');
  });
});

describe('parseRegistryCredential', () => {
  it.each([
    ['ghcr.io=ann:env:TOKEN', { host: 'ghcr.io', username: 'ann', password: { kind: 'env', name: 'TOKEN' } }],
    ['127.0.0.1:5000=ann:file:/run/p:w', { host: '127.0.0.1:5000', username: 'ann', password: { kind: 'file', path: '/run/p:w' } }],
    ['r.io=robot:ci:env:T', { host: 'r.io', username: 'robot:ci', password: { kind: 'env', name: 'T' } }],
    ['r.io=<token>:env:T', { host: 'r.io', username: '<token>', password: { kind: 'env', name: 'T' } }],
    ['r.io=u=v:env:T', { host: 'r.io', username: 'u=v', password: { kind: 'env', name: 'T' } }],
  ])('reads %s', (text, value) => {
    expect(parseRegistryCredential(text)).toEqual({ ok: true, value });
  });

  it.each([
    ['ghcr.io=ann:canary', 'registry-credential-literal'],
    ['ghcr.io=ann:env:canary-not a name', 'registry-credential-literal'],
    ['ghcr.io=canary', 'registry-credential-literal'],
    ['ghcr.io=:env:T', 'registry-credential-syntax'],
    ['canary', 'registry-credential-syntax'],
    ['=ann:env:T', 'registry-credential-syntax'],
    ['https://canary/x=ann:env:T', 'registry-credential-syntax'],
  ])('refuses %s without repeating it', (text, code) => {
    const result = parseRegistryCredential(text);
    expect(result).toMatchObject({ ok: false, error: { code } });
    expect(JSON.stringify(result)).not.toContain('canary');
  });
});
