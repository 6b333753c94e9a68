import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineError } from '../../src/model/engine-error.ts';
import type { SecretProvider } from '../../src/model/ports/secret-provider.ts';
import { createSecretProvider, resolveSecrets } from '../../src/service/secrets.ts';
import { engineFailure } from '../support/engine-failure.ts';
import { waitFor } from '../support/wait-for.ts';

const signal = new AbortController().signal;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-secrets-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function provider(options: { readonly map?: Readonly<Record<string, string>>; readonly allowExec?: boolean } = {}): SecretProvider {
  const environment = { PATH: process.env['PATH'], TOKEN: 'canary-env', EMPTY: '' };
  return createSecretProvider({
    environment,
    directory,
    map: new Map(Object.entries(options.map ?? {})),
    allowExec: options.allowExec ?? false,
  });
}
const resolve = (keyvault: string, by = provider()): Promise<string> => by.resolve({ id: 'mine', keyvault, clientID: '', signal });

describe('providers', () => {
  it('reads variables and files', async () => {
    await writeFile(join(directory, 'secret'), 'two\nlines\n');
    expect(await resolve('env://TOKEN')).toBe('canary-env');
    expect(await resolve('env://EMPTY')).toBe('');
    expect(await resolve('file://secret')).toBe('two\nlines');
    expect(await resolve(`file://${directory}/secret`)).toBe('two\nlines');
    expect((await engineFailure(resolve('env://NONE'))).message).toBe(
      'the secret "mine" cannot be resolved: the environment has no variable "NONE"',
    );
    expect((await engineFailure(resolve('file://none'))).message).toContain('cannot read none (ENOENT)');
    await writeFile(join(directory, 'big'), Buffer.alloc(1024 * 1024 + 1));
    expect((await engineFailure(resolve('file://big'))).message).toContain('bigger than');
    expect((await engineFailure(resolve('file:///dev/zero'))).message).toContain('bigger than');
  });

  it('runs programs only when allowed, without a shell', async () => {
    expect(await engineFailure(resolve(`exec://touch ${directory}/ran`))).toMatchObject({ code: 'policy-refused' });
    expect(await readdir(directory)).not.toContain('ran');
    const by = provider({ allowExec: true });
    expect(await resolve(`exec://printf '%s|' "a b" $TOKEN`, by)).toBe('a b|$TOKEN|');
    expect(await resolve(`exec://sh -c 'echo "$TOKEN"'`, by)).toBe('canary-env');
    expect((await engineFailure(resolve('exec://echo x | cat', by))).code).toBe('secret-unavailable');
    expect((await engineFailure(resolve('exec://', by))).message).toContain('names no program');
    expect((await engineFailure(resolve('exec://no-such-program-here', by))).message).toContain('could not be started (ENOENT)');
    const failed = await engineFailure(resolve(`exec://sh -c 'echo canary-out; echo canary-err >&2; exit 4'`, by));
    expect(failed.message).toMatch(/sh failed \(exit code 4\)$/);
    expect(JSON.stringify([failed.message, failed.help, String(failed.cause)])).not.toContain('canary');
  });

  it('finds the mapping of a vault URL in any spelling, and says how to map one', async () => {
    const by = provider({
      map: {
        'https://My.vault.azure.net/secrets/Db/': 'env://TOKEN',
        'any text': 'env://TOKEN',
        'https://my.vault.azure.net/secrets/loop': 'https://other',
      },
    });
    expect(await resolve('https://my.vault.azure.net/secrets/db', by)).toBe('canary-env');
    expect(await resolve('HTTPS://MY.vault.azure.net/secrets/DB/', by)).toBe('canary-env');
    expect(await resolve('any text', by)).toBe('canary-env');
    const missing = await engineFailure(resolve('https://my.vault.azure.net/secrets/Other/V1', by));
    expect(missing.message).toBe('the secret "mine" cannot be resolved: no provider is configured for https://my.vault.azure.net');
    expect(missing.help).toContain('--secret-map https://my.vault.azure.net/secrets/other/v1=env://NAME');
    expect((await engineFailure(resolve('https://my.vault.azure.net/secrets/loop', by))).message).toContain('mapped to something');
  });

  it.each([
    ['https://tee', 'VAULT.SUFFIX'],
    ['tcp://canary/x', 'names no provider'],
    ['canary-literal-secret', 'names no provider'],
    ['', 'is empty'],
  ])('explains what %j is not, without repeating it', async (text, words) => {
    const error = await engineFailure(resolve(text));
    expect(error.message).toContain(words);
    expect(`${error.message}${error.help}`).not.toContain('canary');
  });

  it('shows no secret in the arguments of any process while a slow program runs', async () => {
    await writeFile(join(directory, 'slow.sh'), 'echo $$ > ready; while [ ! -e go ]; do sleep 0.02; done; printf canary-slow');
    const asking = resolve('exec://sh slow.sh', provider({ allowExec: true }));
    await waitFor(() =>
      readFile(join(directory, 'ready'), 'utf8').then(
        (text) => (text === '' ? undefined : text),
        () => undefined,
      ),
    );
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
    expect(commands.some((line) => line.includes('slow.sh'))).toBe(true);
    expect(commands.filter((line) => line.includes('canary-env') || line.includes('canary-slow'))).toEqual([]);
    await writeFile(join(directory, 'go'), '');
    expect(await asking).toBe('canary-slow');
  });
});

describe('resolveSecrets', () => {
  const references = (count: number) =>
    Array.from({ length: count }, (_, number) => ({ id: `s${number}`, keyvault: `k${number}`, clientID: '' }));

  it('asks five at a time', async () => {
    let running = 0;
    let most = 0;
    const slow: SecretProvider = {
      resolve: async ({ keyvault }) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((done) => setImmediate(done));
        running -= 1;
        return keyvault.toUpperCase();
      },
    };
    const values = await resolveSecrets(references(12), slow, signal);
    expect([...values].slice(0, 2)).toEqual([
      ['s0', 'K0'],
      ['s1', 'K1'],
    ]);
    expect(values.size).toBe(12);
    expect(most).toBe(5);
  });

  it('stops at the time limit, even of a provider that does not listen', async () => {
    const deaf: SecretProvider = { resolve: () => new Promise(() => undefined) };
    const error = await engineFailure(resolveSecrets(references(7), deaf, signal, 0));
    expect(error).toMatchObject({ code: 'secret-unavailable' });
    expect(error.message).toContain('timeout in fetching secrets');
  });

  it('stops the others at the first failure, and everything at the signal', async () => {
    const stopped: string[] = [];
    const mixed: SecretProvider = {
      resolve: ({ id, signal: stop }) =>
        id === 's2'
          ? Promise.reject(new EngineError('secret-unavailable', 'no s2'))
          : new Promise((_, reject) => {
              stop.addEventListener('abort', () => {
                stopped.push(id);
                reject(new Error('stopped'));
              });
            }),
    };
    expect((await engineFailure(resolveSecrets(references(7), mixed, signal))).message).toBe('no s2');
    expect(stopped.sort()).toEqual(['s0', 's1', 's3', 's4']);
    const controller = new AbortController();
    const asking = engineFailure(resolveSecrets(references(1), { resolve: () => new Promise(() => undefined) }, controller.signal));
    controller.abort();
    expect((await asking).message).toContain('cancelled');
  });
});
