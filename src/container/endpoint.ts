import { createHash } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../model/engine-error.ts';

/** How the engine is reached. */
export type EngineEndpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
    }
  | { readonly kind: 'ssh'; readonly host: string; readonly port: number; readonly username: string };

/** What the choice depends on, given so that tests need no real home. */
export interface EndpointSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
  readonly userId: number;
}

/**
 * Chooses the engine: `explicit` (a URL), then DOCKER_HOST, DOCKER_CONTEXT, the current docker context of the user's
 * config, then the first existing socket of Docker (system, rootless, Desktop) and Podman (system, rootless).
 */
export async function chooseEndpoint(explicit: string | undefined, sources: EndpointSources): Promise<EngineEndpoint> {
  const { environment } = sources;
  const named = explicit ?? (environment['DOCKER_HOST'] || undefined);
  if (named !== undefined) return await endpointFromUrl(named, environment);
  const context = environment['DOCKER_CONTEXT'] || (await currentContext(sources));
  if (context !== undefined && context !== '' && context !== 'default') return await endpointFromContext(context, sources);
  const candidates = socketCandidates(sources);
  for (const path of candidates) {
    if (await exists(path)) return { kind: 'unix', path };
  }
  throw new EngineError('engine-unreachable', `No container engine was found; looked for ${candidates.join(', ')}.`);
}

/** For people: a URL without credentials. */
export function endpointText(endpoint: EngineEndpoint): string {
  if (endpoint.kind === 'unix') return `unix://${endpoint.path}`;
  return `${endpoint.kind}://${endpoint.host}:${endpoint.port}`;
}

/**
 * What to mount as /var/run/docker.sock: a path as the engine's machine sees it. Docker Desktop's sockets under the
 * user's home are doors into its virtual machine, where the engine's own socket has the standard place.
 */
export function socketOnEngineHost(endpoint: EngineEndpoint): string {
  if (endpoint.kind !== 'unix' || endpoint.path.includes('/.docker/')) return '/var/run/docker.sock';
  return endpoint.path;
}

function socketCandidates(sources: EndpointSources): readonly string[] {
  const runtime = sources.environment['XDG_RUNTIME_DIR'] || `/run/user/${sources.userId}`;
  return [
    '/var/run/docker.sock',
    join(runtime, 'docker.sock'),
    join(sources.homeDirectory, '.docker/run/docker.sock'),
    join(sources.homeDirectory, '.docker/desktop/docker.sock'),
    ...(sources.userId === 0 ? ['/run/podman/podman.sock'] : [join(runtime, 'podman/podman.sock'), '/run/podman/podman.sock']),
  ];
}

async function endpointFromUrl(text: string, environment: EndpointSources['environment']): Promise<EngineEndpoint> {
  if (text.startsWith('/')) return { kind: 'unix', path: text };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'unix:') return { kind: 'unix', path: decodeURIComponent(url.pathname) || '/var/run/docker.sock' };
  if (url?.protocol === 'ssh:' && url.hostname !== '') {
    return { kind: 'ssh', host: url.hostname, port: Number(url.port || 22), username: decodeURIComponent(url.username) };
  }
  if (url !== undefined && url.hostname !== '' && ['tcp:', 'http:', 'https:'].includes(url.protocol)) {
    const verify = (environment['DOCKER_TLS_VERIFY'] ?? '') !== '';
    const directory = environment['DOCKER_CERT_PATH'];
    const tls = verify || url.protocol === 'https:' || url.port === '2376' ? await readCertificates(directory) : undefined;
    const port = Number(url.port || (tls === undefined ? 2375 : 2376));
    return { kind: 'tcp', host: url.hostname.replace(/^\[|\]$/g, ''), port, ...(tls === undefined ? {} : { tls }) };
  }
  throw new EngineError(
    'engine-unreachable',
    `"${withoutPassword(text)}" names no engine: expected unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST.`,
  );
}

function withoutPassword(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//');
}

interface ContextMeta {
  readonly Name?: string;
  readonly Endpoints?: { readonly docker?: { readonly Host?: string } };
}

async function currentContext(sources: EndpointSources): Promise<string | undefined> {
  const config = await readJson<{ currentContext?: unknown }>(join(configDirectory(sources), 'config.json'));
  return typeof config?.currentContext === 'string' ? config.currentContext : undefined;
}

/** docker's context store: the folder is named by the SHA-256 of the context's name. */
async function endpointFromContext(name: string, sources: EndpointSources): Promise<EngineEndpoint> {
  const id = createHash('sha256').update(name).digest('hex');
  const store = join(configDirectory(sources), 'contexts');
  const meta = await readJson<ContextMeta>(join(store, 'meta', id, 'meta.json'));
  const host = meta?.Endpoints?.docker?.Host;
  if (host === undefined || host === '') {
    throw new EngineError('engine-unreachable', `The docker context "${name}" does not exist.`, {
      help: 'See `docker context ls`, or set DOCKER_HOST.',
    });
  }
  const endpoint = await endpointFromUrl(host, {});
  const tls = await readCertificates(join(store, 'tls', id, 'docker'));
  return endpoint.kind === 'tcp' && Object.keys(tls).length > 0 ? { ...endpoint, tls } : endpoint;
}

function configDirectory(sources: EndpointSources): string {
  return sources.environment['DOCKER_CONFIG'] || join(sources.homeDirectory, '.docker');
}

async function readCertificates(directory: string | undefined): Promise<{ ca?: Buffer; cert?: Buffer; key?: Buffer }> {
  if (directory === undefined || directory === '') return {};
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readFile(join(directory, name)).catch(() => undefined)),
  );
  return { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
}

async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new EngineError('engine-unreachable', `${path} is not valid JSON: ${(error as Error).message}`, {
      help: 'Mend or remove the file.',
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
