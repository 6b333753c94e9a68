import { createHash, createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProcess } from '../../src/util/process.ts';
import { selfSignedCertificate } from './certificate.ts';
import { startHttpServer } from './http-server.ts';
import { waitFor } from './wait-for.ts';

export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
}

export interface RegistrySettings {
  /** Basic authentication: an htpasswd file with bcrypt hashes. */
  readonly htpasswd?: string;
  readonly token?: { readonly realm: string; readonly service: string; readonly issuer: string; readonly certificate: string };
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly deletion?: boolean;
  /** Where pushes are told of. */
  readonly notifications?: readonly { readonly url: string; readonly authorization: string }[];
}

/** A real CNCF registry (Debian's docker-registry) on a free port, with its own storage. */
export async function startRegistry(settings: RegistrySettings = {}): Promise<TestRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const config = await writeConfig(folder, host, settings);
  const stop = new AbortController();
  const running = runProcess({
    file: 'docker-registry',
    args: ['serve', config],
    env: { PATH: process.env['PATH'] ?? '' },
    signal: stop.signal,
    graceMs: 2000,
  });
  let ended: string | undefined;
  running.then((outcome) => {
    ended = `${outcome.kind} ${outcome.stderr}`;
  });
  await waitFor(async () => {
    if (ended !== undefined) throw new Error(`docker-registry ended (run the tests with \`npm test\`, which installs it): ${ended}`);
    return (await answers(host)) ? true : undefined;
  }, 20_000);
  return {
    host,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function writeConfig(folder: string, host: string, settings: RegistrySettings): Promise<string> {
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const tls =
    settings.tls === undefined
      ? {}
      : { tls: { certificate: await file('cert.pem', settings.tls.cert), key: await file('key.pem', settings.tls.key) } };
  const htpasswd = settings.htpasswd === undefined ? {} : { htpasswd: { realm: 'test', path: await file('htpasswd', settings.htpasswd) } };
  const { token } = settings;
  const bearer =
    token === undefined
      ? {}
      : {
          token: {
            realm: token.realm,
            service: token.service,
            issuer: token.issuer,
            rootcertbundle: await file('root.pem', token.certificate),
          },
        };
  // JSON is YAML.
  const config = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(folder, 'data') },
      delete: { enabled: settings.deletion ?? true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: host, ...tls },
    ...(settings.notifications === undefined ? {} : { notifications: notificationsTo(settings.notifications) }),
    ...(Object.keys({ ...htpasswd, ...bearer }).length === 0 ? {} : { auth: { ...htpasswd, ...bearer } }),
  };
  return file('config.yml', JSON.stringify(config));
}

/** As `task trigger webhook` tells people to configure them. */
function notificationsTo(endpoints: NonNullable<RegistrySettings['notifications']>): object {
  return {
    endpoints: endpoints.map(({ url, authorization }, index) => ({
      ...{ name: `endpoint${index}`, url, headers: { Authorization: [authorization] } },
      ...{ timeout: '5s', threshold: 5, backoff: '1s', ignore: { mediatypes: ['application/octet-stream'], actions: ['pull'] } },
    })),
  };
}

async function answers(host: string): Promise<boolean> {
  const reply = await fetch(`http://${host}/v2/`).catch(() => undefined);
  await reply?.body?.cancel();
  return reply !== undefined;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface TokenServer extends AsyncDisposable {
  readonly url: string;
  readonly settings: NonNullable<RegistrySettings['token']>;
  /** What was asked so far: query or form, and the authorization header. */
  readonly requests: { readonly method: string; readonly parameters: URLSearchParams; readonly authorization: string | undefined }[];
}

/**
 * A real token server: signs what is asked for. `basic` and `refreshToken` are what it accepts; with neither, everybody
 * gets tokens for pull.
 */
export async function startTokenServer(accept: {
  readonly basic?: string;
  readonly refreshToken?: string;
  readonly expiresIn?: number;
}): Promise<TokenServer> {
  const pair = await selfSignedCertificate();
  const requests: TokenServer['requests'] = [];
  const service = 'registry.test';
  const server = await startHttpServer((request, response) => void answer(request, response));
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const parameters = request.method === 'POST' ? new URLSearchParams(body) : new URL(request.url ?? '/', 'http://localhost').searchParams;
    const { authorization } = request.headers;
    requests.push({ method: request.method ?? '', parameters, authorization });
    const known =
      authorization === `Basic ${Buffer.from(accept.basic ?? '').toString('base64')}` ||
      (accept.refreshToken !== undefined && parameters.get('refresh_token') === accept.refreshToken);
    const restricted = accept.basic !== undefined || accept.refreshToken !== undefined;
    if (restricted && !known) {
      response.writeHead(401).end('{"details":"incorrect username or password"}');
      return;
    }
    const scopes = parameters.getAll('scope').flatMap((scope) => scope.split(' '));
    const token = signedToken(pair, { service, scopes: restricted ? scopes : scopes.map((scope) => scope.replace(/:[^:]*$/, ':pull')) });
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ token, expires_in: accept.expiresIn ?? 300 }));
  };
  return {
    url: server.url,
    requests,
    settings: { realm: `${server.url}/token`, service, issuer: 'slipway-test', certificate: pair.cert },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function signedToken(
  pair: { readonly cert: string; readonly key: string },
  grant: { readonly service: string; readonly scopes: readonly string[] },
): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = { typ: 'JWT', alg: 'ES256', x5c: [new X509Certificate(pair.cert).raw.toString('base64')] };
  const now = Math.floor(Date.now() / 1000);
  const access = grant.scopes
    .filter((scope) => scope !== '')
    .map((scope) => {
      const [type, ...rest] = scope.split(':');
      return { type, name: rest.slice(0, -1).join(':'), actions: (rest.at(-1) ?? '').split(',') };
    });
  const claims = {
    iss: 'slipway-test',
    sub: 'ann',
    aud: grant.service,
    exp: now + 300,
    nbf: now - 10,
    iat: now - 10,
    jti: randomUUID(),
    access,
  };
  const text = `${encode(header)}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(text), { key: createPrivateKey(pair.key), dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

export interface Uploaded {
  readonly digest: string;
  readonly size: number;
}

/** Puts blobs, manifests and indexes into a registry by plain requests. */
export function registryWriter(host: string, headers: Readonly<Record<string, string>> = {}) {
  const base = `http://${host}/v2`;
  const expectCreated = async (reply: Response): Promise<void> => {
    const text = await reply.text();
    if (reply.status !== 201) throw new Error(`status ${reply.status}: ${text}`);
  };
  const blob = async (repository: string, content: string | Buffer): Promise<Uploaded> => {
    const bytes = Buffer.from(content);
    const digest = digestOf(bytes);
    const started = await fetch(`${base}/${repository}/blobs/uploads/`, { method: 'POST', headers });
    await started.text();
    const url = new URL(started.headers.get('location') ?? '', base);
    url.searchParams.set('digest', digest);
    await expectCreated(
      await fetch(url, { method: 'PUT', body: bytes, headers: { ...headers, 'content-type': 'application/octet-stream' } }),
    );
    return { digest, size: bytes.length };
  };
  const manifest = async (repository: string, name: string | undefined, body: { readonly mediaType: string }): Promise<Uploaded> => {
    const bytes = Buffer.from(JSON.stringify(body));
    const digest = digestOf(bytes);
    await expectCreated(
      await fetch(`${base}/${repository}/manifests/${name ?? digest}`, {
        method: 'PUT',
        body: bytes,
        headers: { ...headers, 'content-type': body.mediaType },
      }),
    );
    return { digest, size: bytes.length };
  };
  const image = async (
    repository: string,
    tag: string | undefined,
    layers: readonly (string | Buffer)[],
    more: object = {},
  ): Promise<Uploaded> => {
    const config = await blob(repository, '{}');
    const uploaded = [];
    for (const layer of layers) uploaded.push({ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...(await blob(repository, layer)) });
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    return manifest(repository, tag, {
      schemaVersion: 2,
      mediaType,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: uploaded,
      ...more,
    } as { mediaType: string });
  };
  return { blob, manifest, image };
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
