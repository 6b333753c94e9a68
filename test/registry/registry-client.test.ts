import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RegistryCredential } from '../../src/model/ports/credential-source.ts';
import { createRegistryClient, type RegistryClientOptions } from '../../src/registry/registry-client.ts';
import { selfSignedCertificate } from '../support/certificate.ts';
import { engineFailure } from '../support/engine-failure.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startHttpServer } from '../support/http-server.ts';
import { digestOf, registryWriter, startRegistry, startTokenServer, type TestRegistry, type Uploaded } from '../support/registry-server.ts';

const retry = { attempts: 3, baseMs: 1, capMs: 20 };
const credentials = (byHost: Readonly<Record<string, RegistryCredential>> = {}) => ({
  forHost: async (host: string) => byHost[host],
  explicitHosts: () => [],
});
const client = (options: Partial<RegistryClientOptions> = {}) =>
  createRegistryClient({ credentials: credentials(), insecureRegistries: [], retry, ...options });

let registry: TestRegistry;
let other: TestRegistry;
let write: ReturnType<typeof registryWriter>;
const big = randomBytes(20 * 1024 * 1024);
let single: Uploaded;
let index: Uploaded;
const children: Record<string, Uploaded> = {};

beforeAll(async () => {
  [registry, other] = await Promise.all([startRegistry(), startRegistry({ deletion: false })]);
  write = registryWriter(registry.host);
  single = await write.image('team/app', 'v1', ['layer one', big]);
  const entries = [];
  for (const platform of [
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm', variant: 'v7' },
    { os: 'linux', architecture: 'arm64', variant: 'v8' },
    { os: 'unknown', architecture: 'unknown' },
  ]) {
    const child = await write.image('team/multi', undefined, [JSON.stringify(platform)]);
    children[`${platform.architecture}`] = child;
    entries.push({ mediaType: 'application/vnd.oci.image.manifest.v1+json', ...child, platform });
  }
  index = await write.manifest('team/multi', 'latest', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: entries,
  } as { mediaType: string });
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

describe('resolve', () => {
  it('names what a tag and a digest are', async () => {
    const expected = { digest: single.digest, mediaType: 'application/vnd.oci.image.manifest.v1+json', platformDigest: single.digest };
    expect(await client().resolve(`${registry.host}/team/app:v1`, {})).toEqual(expected);
    expect(await client().resolve(`${registry.host}/team/app@${single.digest}`, { platform: 'linux/s390x' })).toEqual(expected);
  });

  it.each([
    ['linux/amd64', 'amd64'],
    ['linux/arm/v7', 'arm'],
    ['linux/arm', 'arm'],
    ['linux/arm64', 'arm64'],
    ['linux/amd64/v3', 'amd64'],
  ])('finds the manifest for %s', async (platform, architecture) => {
    const resolved = await client().resolve(`${registry.host}/team/multi`, { platform });
    expect(resolved).toMatchObject({ digest: index.digest, platformDigest: children[architecture]?.digest });
  });

  it('says what is missing', async () => {
    expect(await client().resolve(`${registry.host}/team/multi`, { platform: 'linux/arm/v6' })).toMatchObject({ platformDigest: '' });
    expect(await client().resolve(`${registry.host}/team/none:v1`, {})).toBeUndefined();
    expect(await client().resolve(`${registry.host}/team/app:none`, {})).toBeUndefined();
    expect((await engineFailure(client().resolve('UPPER/x y', {}))).message).toMatch(/is no image reference/);
  });

  it('computes the digest where the registry does not say it, and takes GET where HEAD is refused', async () => {
    const bytes = JSON.stringify({ schemaVersion: 2 });
    await using server = await startHttpServer((request, response) => {
      if (request.method === 'HEAD') response.writeHead(405).end();
      else response.setHeader('content-type', 'application/vnd.oci.image.manifest.v1+json; charset=utf-8').end(bytes);
    });
    expect(await client().resolve(`127.0.0.1:${server.port}/a:b`, {})).toMatchObject({
      digest: digestOf(Buffer.from(bytes)),
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
    });
  });

  it('refuses a manifest that is not what its digest says', async () => {
    await using server = await startHttpServer((request, response) => {
      if (request.url?.includes('manifests') === true && request.method === 'HEAD') response.writeHead(405).end();
      else response.setHeader('content-type', 'application/vnd.oci.image.manifest.v1+json').end('{"swapped":true}');
    });
    expect((await engineFailure(client().resolve(`127.0.0.1:${server.port}/a@${single.digest}`, {}))).message).toContain('whose digest is');
  });
});

describe('look', () => {
  it('asks for the digest, and for the platforms only when it is another one', async () => {
    const asked: string[] = [];
    const proxy = await startFaultProxy(registry.host, (call) => {
      if (call.url?.includes('/manifests/') === true) asked.push(call.method ?? '');
      return undefined;
    });
    await using _ = { [Symbol.asyncDispose]: () => proxy.stop() };
    const reference = `${proxy.host}/team/multi:latest`;
    const platforms = ['linux/amd64', 'linux/arm/v7', 'linux/s390x'];
    expect(await client().look(reference, { platforms })).toEqual({
      digest: index.digest,
      platforms: { 'linux/amd64': children['amd64']?.digest, 'linux/arm/v7': children['arm']?.digest, 'linux/s390x': '' },
    });
    expect(asked.splice(0)).toEqual(['HEAD', 'GET']);
    expect(await client().look(reference, { platforms, known: index.digest })).toEqual({ digest: index.digest });
    expect(await client().look(`${proxy.host}/team/app:v1`, { platforms: ['linux/amd64'] })).toEqual({
      digest: single.digest,
      platforms: { 'linux/amd64': single.digest },
    });
    expect(await client().look(`${proxy.host}/team/none:v1`, { platforms })).toBeUndefined();
    expect(asked).toEqual(['HEAD', 'HEAD', 'HEAD']);
  });

  it('is never given a manifest of schema 1, whose digest is another', async () => {
    // As Docker Hub answers who does not ask for all types.
    const types = [
      'application/vnd.oci.image.index.v1+json',
      'application/vnd.oci.image.manifest.v1+json',
      'application/vnd.docker.distribution.manifest.list.v2+json',
      'application/vnd.docker.distribution.manifest.v2+json',
    ];
    await using server = await startHttpServer((request, response) => {
      const accepted = (request.headers.accept ?? '').split(',').map((type) => type.trim());
      const modern = types.every((type) => accepted.includes(type));
      response.setHeader('docker-content-digest', digestOf(Buffer.from(modern ? 'modern' : 'schema 1')));
      response.setHeader('content-type', modern ? (types[1] ?? '') : 'application/vnd.docker.distribution.manifest.v1+prettyjws').end();
    });
    const look = await client().look(`127.0.0.1:${server.port}/a:b`, { platforms: [] });
    expect(look?.digest).toBe(digestOf(Buffer.from('modern')));
  });

  it('asks once, and tells for how long the registry wants to be left alone', async () => {
    let asked = 0;
    await using server = await startHttpServer((request, response) => {
      if (request.url?.includes('/manifests/') === true) asked += 1;
      response.writeHead(request.url?.includes('busy') === true ? 429 : 503, { 'retry-after': '120' }).end('{}');
    });
    const busy = await engineFailure(client().look(`127.0.0.1:${server.port}/busy:1`, { platforms: [] }));
    expect(busy).toMatchObject({ code: 'registry-failed', transient: true, retryAfterMs: 120_000 });
    const broken = await engineFailure(client().look(`127.0.0.1:${server.port}/broken:1`, { platforms: [] }));
    expect(broken).toMatchObject({ transient: true });
    expect(asked).toBe(2);
  });
});

describe('tags, deletion, referrers', () => {
  it('lists all tags over pages', async () => {
    const names = Array.from({ length: 5 }, (_, number) => `t${number}`);
    await using server = await startHttpServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://h');
      const from = Number(url.searchParams.get('last') ?? -1) + 1;
      if (from + 2 < names.length) response.setHeader('link', `</v2/a/b/tags/list?n=2&last=${from + 1}>; rel="next"`);
      response.end(JSON.stringify({ name: 'a/b', tags: names.slice(from, from + 2) }));
    });
    expect(await client().listTags(`127.0.0.1:${server.port}/a/b`)).toEqual(names);
    expect(await client().listTags(`${registry.host}/team/app`)).toEqual(['v1']);
    expect(await client().listTags(`${registry.host}/team/none`)).toBeUndefined();
  });

  it('deletes by tag and by digest, once', async () => {
    const uploaded = await write.image('team/gone', 'x', ['gone']);
    const target = `${registry.host}/team/gone:x`;
    expect(await client().delete(target)).toBe(true);
    expect(await client().delete(target)).toBe(false);
    expect(await client().delete(`${registry.host}/team/gone@${uploaded.digest}`)).toBe(false);
  });

  it('says when a registry allows no deletion', async () => {
    const uploaded = await registryWriter(other.host).image('a', 'x', ['kept']);
    const error = await engineFailure(client().delete(`${other.host}/a@${uploaded.digest}`));
    expect(error.message).toContain('does not allow deletion');
    expect(error.help).toContain('REGISTRY_STORAGE_DELETE_ENABLED');
  });

  it('reads referrers from the tag where the registry has no API for them, and from the API where it has', async () => {
    expect(await client().referrers(`${registry.host}/team/app:v1`)).toEqual([]);
    const entry = {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      ...children['amd64'],
      artifactType: 'application/spdx+json',
      annotations: { a: 'b' },
    };
    const body = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [entry] };
    await write.image('team/app', undefined, [JSON.stringify({ os: 'linux', architecture: 'amd64' })]);
    await write.manifest('team/app', single.digest.replace(':', '-'), body);
    expect(await client().referrers(`${registry.host}/team/app:v1`)).toEqual([entry]);
    await using server = await startHttpServer((request, response) => {
      if (request.url?.startsWith(`/v2/a/referrers/${single.digest}`) === true) response.end(JSON.stringify(body));
      else response.writeHead(404).end();
    });
    expect(await client().referrers(`127.0.0.1:${server.port}/a@${single.digest}`)).toEqual([entry]);
  });
});

describe('copy', () => {
  it('copies an index with everything below it to another registry, big blobs in pieces', async () => {
    const here = client();
    expect(await here.copy(`${registry.host}/team/multi`, `${other.host}/copy/multi:v2`)).toEqual({ digest: index.digest });
    expect(await here.resolve(`${other.host}/copy/multi:v2`, { platform: 'linux/arm64' })).toMatchObject({
      digest: index.digest,
      platformDigest: children['arm64']?.digest,
    });
    await here.copy(`${registry.host}/team/app:v1`, `${other.host}/copy/app:v1`);
    const received: Buffer[] = [];
    await here.pullArtifact(`${other.host}/copy/app:v1`, async (_layer, content) => {
      for await (const chunk of content) received.push(Buffer.from(chunk));
    });
    expect(Buffer.concat(received).equals(Buffer.concat([Buffer.from('layer one'), big]))).toBe(true);
  });

  it('mounts blobs within one registry', async () => {
    const seen: string[] = [];
    await using proxy = await startProxy(registry.host, (request) => {
      seen.push(`${request.method} ${request.url}`);
      return undefined;
    });
    await client().copy(`127.0.0.1:${proxy.port}/team/app:v1`, `127.0.0.1:${proxy.port}/mounted/app:v1`);
    expect(seen.filter((line) => /^(PATCH|PUT .*blobs)/.test(line))).toEqual([]);
    expect(seen.filter((line) => line.includes('mount=')).length).toBe(3);
  });

  it.each([0, 1, 2, 3])('survives an upload cut at piece %i, and 429 and 503 on the way', async (cut) => {
    let pieces = 0;
    let trouble = 0;
    await using proxy = await startProxy(other.host, (request) => {
      if ((request.method === 'PATCH' || request.method === 'PUT') && request.url?.includes('/blobs/') === true)
        return pieces++ === cut ? 'cut' : undefined;
      if (request.method === 'POST') return [429, 503][trouble++];
      return undefined;
    });
    const target = `127.0.0.1:${proxy.port}/cut${cut}/app:v1`;
    expect(await client({ retry: { ...retry, attempts: 4 } }).copy(`${registry.host}/team/app:v1`, target)).toEqual({
      digest: single.digest,
    });
    expect(await client().resolve(target, {})).toMatchObject({ digest: single.digest });
  });

  it('gives up with a transient error when a registry stays away', async () => {
    await using proxy = await startProxy(other.host, (request) => (request.method === 'POST' ? 503 : undefined));
    const error = await engineFailure(client().copy(`${registry.host}/team/app:v1`, `127.0.0.1:${proxy.port}/never/app`));
    expect(error).toMatchObject({ code: 'registry-failed', transient: true });
  });

  it('ends at the signal', async () => {
    const controller = new AbortController();
    await using proxy = await startProxy(other.host, (request) => {
      if (request.method === 'PATCH') controller.abort();
      return undefined;
    });
    const error = await engineFailure(
      client().copy(`${registry.host}/team/app:v1`, `127.0.0.1:${proxy.port}/stopped/app`, { signal: controller.signal }),
    );
    expect(error.message).toContain('cancelled');
  });

  it('says what does not exist', async () => {
    expect((await engineFailure(client().copy(`${registry.host}/team/none`, `${other.host}/x`))).code).toBe('image-not-found');
  });
});

describe('pullArtifact', () => {
  it('refuses content that is not what its digest says', async () => {
    await using proxy = await startProxy(registry.host, (request) =>
      request.url?.includes('/blobs/') === true ? Buffer.from('layer 0ne') : undefined,
    );
    const read = async (_layer: unknown, content: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const _chunk of content);
    };
    const error = await engineFailure(client().pullArtifact(`127.0.0.1:${proxy.port}/team/app:v1`, read));
    expect(error.message).toMatch(/sent 9 bytes with digest sha256:/);
    expect((await engineFailure(client().pullArtifact(`${registry.host}/team/multi`, read))).message).toContain('no single artifact');
  });
});

describe('proof', () => {
  const password = 's3cret-canary';
  const basic: RegistryCredential = { kind: 'basic', username: 'ann', password };
  const htpasswd = 'ann:$2y$05$abcdefghijklmnopqrstuullx5kP6GYZcFnepqhmI2H03s5Hsbhlm\n';

  it('answers a Basic challenge, and says when the password is wrong without repeating it', async () => {
    await using locked = await startRegistry({ htpasswd });
    const authorization = `Basic ${Buffer.from(`ann:${password}`).toString('base64')}`;
    const uploaded = await registryWriter(locked.host, { authorization }).image('a', 'x', ['locked']);
    expect(await client({ credentials: credentials({ [locked.host]: basic }) }).resolve(`${locked.host}/a:x`, {})).toMatchObject({
      digest: uploaded.digest,
    });
    await client({ credentials: credentials({ [locked.host]: basic }) }).probePush(`${locked.host}/a`);
    const anonymous = await engineFailure(client().resolve(`${locked.host}/a:x`, {}));
    expect(anonymous).toMatchObject({ code: 'registry-denied', transient: false });
    const wrong = await engineFailure(
      client({ credentials: credentials({ [locked.host]: { ...basic, password: 'wrong-canary' } }) }).probePush(`${locked.host}/a`),
    );
    expect(wrong.code).toBe('registry-denied');
    expect(`${wrong.message}${wrong.help}`).not.toContain('canary');
  });

  it('fetches a token for each scope and keeps it', async () => {
    await using tokens = await startTokenServer({ basic: `ann:${password}` });
    await using locked = await startRegistry({ token: tokens.settings });
    const here = client({ credentials: credentials({ [locked.host]: basic }) });
    await here.copy(`${registry.host}/team/app:v1`, `${locked.host}/a/b:v1`);
    const afterCopy = tokens.requests.length;
    for (let round = 0; round < 3; round += 1)
      expect(await here.resolve(`${locked.host}/a/b:v1`, {})).toMatchObject({ digest: single.digest });
    expect(tokens.requests.length).toBe(afterCopy);
    const scopes = tokens.requests.map(({ parameters }) => parameters.getAll('scope').join(' '));
    // Three blobs were copied side by side.
    expect(scopes.sort()).toEqual(['repository:a/b:pull', 'repository:a/b:pull,push']);
    await here.copy(`${locked.host}/a/b:v1`, `${locked.host}/c:v1`);
    expect(tokens.requests.map(({ parameters }) => parameters.getAll('scope').join(' '))).toContain(
      'repository:c:pull,push repository:a/b:pull',
    );
    expect(tokens.requests[0]?.parameters.get('service')).toBe('registry.test');
    const refused = await engineFailure(client().resolve(`${locked.host}/a/b:v1`, {}));
    expect(refused).toMatchObject({ code: 'registry-denied' });
    expect(refused.message).toContain('no anonymous access');
  });

  it('trades an identity token by POST', async () => {
    await using tokens = await startTokenServer({ refreshToken: 'refresh-canary' });
    await using locked = await startRegistry({ token: tokens.settings });
    const here = client({ credentials: credentials({ [locked.host]: { kind: 'identity-token', token: 'refresh-canary' } }) });
    expect(await here.listTags(`${locked.host}/nothing`)).toBeUndefined();
    expect(tokens.requests.map(({ method }) => method)).toEqual(['POST']);
    expect(tokens.requests[0]?.parameters.get('grant_type')).toBe('refresh_token');
  });

  it('denies a push that a token is not good for', async () => {
    await using tokens = await startTokenServer({});
    await using locked = await startRegistry({ token: tokens.settings });
    expect((await engineFailure(client().probePush(`${locked.host}/a`))).code).toBe('registry-denied');
  });

  it('sends no credentials to a realm on a foreign host, and none along a redirect', async () => {
    const seen: (string | undefined)[] = [];
    await using thief = await startHttpServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end('{"token":"x"}');
    });
    let challenge = `Bearer realm="https://thief.example.com/token",service="s"`;
    await using evil = await startHttpServer((request, response) => {
      if (request.url === '/v2/') response.end();
      else if (request.url?.includes('redirect') === true) response.writeHead(307, { location: `${thief.url}/blob` }).end();
      else response.writeHead(401, { 'www-authenticate': challenge }).end();
    });
    const host = `127.0.0.1:${evil.port}`;
    const here = () => client({ credentials: credentials({ [host]: basic }) });
    const error = await engineFailure(here().resolve(`${host}/a:b`, {}));
    expect(error).toMatchObject({ code: 'registry-denied' });
    expect(error.message).toContain('thief.example.com, which is refused: it belongs to another domain');
    expect(error.help).toContain('`--trusted-realm thief.example.com`');
    challenge = `Bearer realm="https://a:b@thief.example.com/token",service="s"`;
    const trusting = client({ credentials: credentials({ [host]: basic }), trustedRealms: ['thief.example.com'] });
    const hopeless = await engineFailure(trusting.resolve(`${host}/a:b`, {}));
    expect([hopeless.message, hopeless.help]).toEqual([
      expect.stringContaining('its URL carries credentials'),
      expect.stringContaining('No flag'),
    ]);
    challenge = 'Basic realm="x"';
    const known = here();
    await engineFailure(known.resolve(`${host}/a:b`, {}));
    await known.resolve(`${host}/redirect:b`, {}).catch(() => undefined);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.every((authorization) => authorization === undefined)).toBe(true);
  });

  it('takes its own proof out of what a registry says', async () => {
    await using echo = await startHttpServer((request, response) => {
      if (request.url === '/v2/') response.end();
      else if (request.headers.authorization === undefined) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      else
        response
          .writeHead(400)
          .end(JSON.stringify({ errors: [{ message: `bad: ${request.headers.authorization} ${password}\u001b[2J` }] }));
    });
    const host = `127.0.0.1:${echo.port}`;
    const error = await engineFailure(client({ credentials: credentials({ [host]: basic }) }).listTags(`${host}/a`));
    expect(error.message).toContain('<REDACTED>');
    expect(error.message).not.toContain(password);
    expect(error.message).not.toContain(Buffer.from(`ann:${password}`).toString('base64'));
    expect(error.message).not.toContain('\u001b');
  });
});

describe('TLS', () => {
  it('refuses a self-signed registry, unless its certificate is trusted or the registry is named insecure', async () => {
    const pair = await selfSignedCertificate();
    await using secure = await startRegistry({ tls: pair });
    const target = `${secure.host}/a`;
    const error = await engineFailure(client().listTags(target));
    expect(error).toMatchObject({ code: 'registry-unreachable', transient: false });
    expect(error.message).toContain('is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)');
    expect(error.help).toContain(`--insecure-registry ${secure.host}`);
    expect(await client({ extraCertificates: [pair.cert] }).listTags(target)).toBeUndefined();
    const folder = await mkdtemp(join(tmpdir(), 'slipway-certs-'));
    await mkdir(join(folder, secure.host));
    await writeFile(join(folder, secure.host, 'ca.crt'), pair.cert);
    expect(await client({ certificateFolders: [folder] }).listTags(target)).toBeUndefined();
    await rm(folder, { recursive: true });
    expect(await client({ insecureRegistries: [secure.host] }).listTags(target)).toBeUndefined();
    expect(await client({ insecureRegistries: [registry.host] }).listTags(`${registry.host}/team/app`)).toContain('v1');
  });

  it("asks again how a registry speaks when nobody answered at first, and one caller's cancel is not the others'", async () => {
    const first = await startHttpServer(() => undefined);
    const { port } = first;
    await first[Symbol.asyncDispose]();
    const host = `127.0.0.1:${port}`;
    for (const here of [client(), client({ insecureRegistries: [host] })]) {
      expect(await engineFailure(here.listTags(`${host}/a`))).toMatchObject({ code: 'registry-unreachable', transient: true });
      const server = createServer((_, response) => response.end('{"tags":["late"]}'));
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
      const stopped = engineFailure(here.listTags(`${host}/a`, { signal: AbortSignal.abort() }));
      expect(await here.listTags(`${host}/a`)).toEqual(['late']);
      expect((await stopped).message).toContain('cancelled');
      here.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('says when nobody answers, and keeps off metadata addresses', async () => {
    const port = await startHttpServer(() => undefined).then(async (server) => {
      await server[Symbol.asyncDispose]();
      return server.port;
    });
    expect(await engineFailure(client().listTags(`127.0.0.1:${port}/a`))).toMatchObject({ code: 'registry-unreachable', transient: true });
    expect(await engineFailure(client().listTags('169.254.169.254/a'))).toMatchObject({ code: 'policy-refused' });
    expect(await engineFailure(client().listTags('nobody.invalid/a'))).toMatchObject({ code: 'registry-unreachable' });
  });
});

type Fault = number | 'cut' | Buffer | undefined;

/** Passes requests on to a registry, apart from those that `fault` answers: a status, a body, or a cut in the middle. */
async function startProxy(
  target: string,
  fault: (request: { readonly method?: string | undefined; readonly url?: string | undefined }) => Fault,
) {
  const { request: send } = await import('node:http');
  return startHttpServer((request, response) => {
    const answer = fault(request);
    if (answer === 'cut') {
      request.once('data', () => request.destroy());
      request.resume();
    } else if (typeof answer === 'number') {
      request.resume();
      response.writeHead(answer, { 'retry-after': '0' }).end();
    } else if (answer !== undefined) response.end(answer);
    else {
      // The registry builds its locations from the Host header, so they lead back here.
      const onward = send(
        { host: '127.0.0.1', port: target.split(':')[1], method: request.method, path: request.url, headers: request.headers },
        (reply) => {
          response.writeHead(reply.statusCode ?? 502, reply.headers);
          reply.pipe(response);
        },
      );
      onward.on('error', () => response.destroy());
      request.on('error', () => onward.destroy());
      request.pipe(onward);
    }
  });
}
