import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDockerEngine } from '../../src/container/docker-engine.ts';
import { chooseEndpoint, endpointText, socketOnEngineHost } from '../../src/container/endpoint.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'slipway-home-'));
});
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

const choose = (environment: Readonly<Record<string, string>>, explicit?: string) =>
  chooseEndpoint(explicit, { environment, homeDirectory: home, userId: 1000 });

describe('the endpoint', () => {
  it.each([
    ['unix:///a/b.sock', { kind: 'unix', path: '/a/b.sock' }],
    ['/a/b.sock', { kind: 'unix', path: '/a/b.sock' }],
    ['tcp://host', { kind: 'tcp', host: 'host', port: 2375 }],
    ['tcp://[::1]:99', { kind: 'tcp', host: '::1', port: 99 }],
    ['tcp://host:2376', { kind: 'tcp', host: 'host', port: 2376, tls: {} }],
    ['ssh://me@host:23', { kind: 'ssh', host: 'host', port: 23, username: 'me' }],
  ])('of DOCKER_HOST=%s', async (url, endpoint) => {
    expect(await choose({ DOCKER_HOST: url })).toEqual(endpoint);
    expect(await choose({ DOCKER_HOST: 'unix:///other' }, url)).toEqual(endpoint);
  });

  it('reads the certificates of DOCKER_CERT_PATH', async () => {
    await writeFile(join(home, 'ca.pem'), 'ca');
    const endpoint = await choose({ DOCKER_HOST: 'tcp://host:1', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: home });
    expect(endpoint).toEqual({ kind: 'tcp', host: 'host', port: 1, tls: { ca: Buffer.from('ca') } });
  });

  it.each(['fd://', 'tcp://', 'nonsense', 'ftp://host'])('refuses %s', async (url) => {
    await expect(choose({ DOCKER_HOST: url })).rejects.toMatchObject({ code: 'engine-unreachable' });
  });

  it('keeps a password out of the message', async () => {
    await expect(choose({ DOCKER_HOST: 'ftp://me:hidden@host' })).rejects.toThrow(/^(?!.*hidden)/);
  });

  it('of the current docker context, and of the one that DOCKER_CONTEXT names', async () => {
    const store = join(home, '.docker/contexts/meta', createHash('sha256').update('far').digest('hex'));
    await mkdir(store, { recursive: true });
    await writeFile(join(store, 'meta.json'), JSON.stringify({ Name: 'far', Endpoints: { docker: { Host: 'unix:///far.sock' } } }));
    expect(await choose({ DOCKER_CONTEXT: 'far' })).toEqual({ kind: 'unix', path: '/far.sock' });
    await writeFile(join(home, '.docker/config.json'), JSON.stringify({ currentContext: 'far' }));
    expect(await choose({})).toEqual({ kind: 'unix', path: '/far.sock' });
    expect(await choose({ DOCKER_HOST: 'unix:///near.sock' })).toEqual({ kind: 'unix', path: '/near.sock' });
    await expect(choose({ DOCKER_CONTEXT: 'gone' })).rejects.toThrow('context "gone" does not exist');
  });

  it('names the broken file', async () => {
    const directory = join(home, 'broken');
    await mkdir(directory);
    await writeFile(join(directory, 'config.json'), '{');
    await expect(choose({ DOCKER_CONFIG: directory })).rejects.toThrow(join(directory, 'config.json'));
  });

  it('is told without credentials, and its socket as the engine sees it', async () => {
    expect(endpointText(await choose({ DOCKER_HOST: 'ssh://me@host' }))).toBe('ssh://host:22');
    expect(socketOnEngineHost({ kind: 'unix', path: '/run/user/1/podman/podman.sock' })).toBe('/run/user/1/podman/podman.sock');
    expect(socketOnEngineHost({ kind: 'unix', path: '/home/me/.docker/run/docker.sock' })).toBe('/var/run/docker.sock');
    expect(socketOnEngineHost({ kind: 'tcp', host: 'h', port: 1 })).toBe('/var/run/docker.sock');
  });
});

describe('an engine that is not there', () => {
  it('is unreachable, with the place that was tried', async () => {
    const engine = await createDockerEngine({ endpoint: `unix://${home}/none.sock` });
    await expect(engine.describe()).rejects.toMatchObject({
      code: 'engine-unreachable',
      message: expect.stringContaining(`${home}/none.sock`),
    });
    await engine.close();
  });

  it('has failed when it hangs up, and is asked again the next time', async () => {
    const path = join(home, 'rude.sock');
    let calls = 0;
    const server = createServer((socket) => {
      calls += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const engine = await createDockerEngine({ endpoint: path });
    await expect(engine.describe()).rejects.toMatchObject({ code: 'engine-failed', transient: true });
    const before = calls;
    await expect(engine.describe()).rejects.toMatchObject({ code: 'engine-failed' });
    expect(calls).toBeGreaterThan(before);
    await engine.close();
    server.close();
  });
});
