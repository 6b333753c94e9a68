import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { EngineError } from '../model/engine-error.ts';
import { DOCKER_HUB } from '../model/image-reference.ts';
import type { RegistryCredential } from '../model/ports/credential-source.ts';

/** The parts of `~/.docker/config.json` that say how to log in, by normalised host. */
export interface DockerConfig {
  readonly auths: ReadonlyMap<string, RegistryCredential>;
  /** Names of helper programs: `ecr-login` is `docker-credential-ecr-login`. */
  readonly helpers: ReadonlyMap<string, string>;
  /** The helper for all other hosts; empty when there is none. */
  readonly store: string;
}

const EMPTY: DockerConfig = { auths: new Map(), helpers: new Map(), store: '' };

/** Path of the configuration: `config.json` in DOCKER_CONFIG or `~/.docker`. */
export function dockerConfigPath(environment: Readonly<Record<string, string | undefined>>): string {
  const folder = environment['DOCKER_CONFIG'] ?? '';
  return join(folder === '' ? join(environment['HOME'] ?? homedir(), '.docker') : folder, 'config.json');
}

/** The server name that docker's configuration and helpers know a host by. */
export function serverName(host: string): string {
  return host === DOCKER_HUB ? 'https://index.docker.io/v1/' : host;
}

/** Reads the file; one that does not exist is empty. Rejects with EngineError for text that is not docker's configuration. */
export async function readDockerConfig(path: string): Promise<DockerConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return EMPTY;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new EngineError('registry-denied', `cannot read ${path} (${code})`, {
      help: 'Mend its permissions, or point DOCKER_CONFIG elsewhere.',
    });
  }
  return parseDockerConfig(text, path);
}

function parseDockerConfig(text: string, path: string): DockerConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which holds passwords.
    value = undefined;
  }
  if (!isRecord(value))
    throw new EngineError('registry-denied', `${path} is not valid JSON`, { help: 'Mend the file, or log in again with `docker login`.' });
  const auths = new Map<string, RegistryCredential>();
  for (const [key, entry] of Object.entries(isRecord(value['auths']) ? value['auths'] : {})) {
    const host = hostOfKey(key);
    const credential = isRecord(entry) ? credentialOf(entry) : undefined;
    if (host !== undefined && credential !== undefined) auths.set(host, credential);
  }
  const helpers = new Map<string, string>();
  for (const [key, name] of Object.entries(isRecord(value['credHelpers']) ? value['credHelpers'] : {})) {
    const host = hostOfKey(key);
    if (host !== undefined && typeof name === 'string' && name !== '') helpers.set(host, name);
  }
  return { auths, helpers, store: typeof value['credsStore'] === 'string' ? value['credsStore'] : '' };
}

/** `https://host/v1/`, `host` → host. A key with another path is for one repository, and so for no whole host. */
function hostOfKey(key: string): string | undefined {
  const match = /^(?:https?:\/\/)?([^/]+)(?:\/|\/v[12]\/?)?$/i.exec(key);
  const host = match?.[1]?.toLowerCase();
  return host === 'index.docker.io' || host === 'registry-1.docker.io' || host === 'registry.hub.docker.com' ? DOCKER_HUB : host;
}

function credentialOf(entry: Readonly<Record<string, unknown>>): RegistryCredential | undefined {
  const { identitytoken, auth, username, password } = entry;
  if (typeof identitytoken === 'string' && identitytoken !== '') return { kind: 'identity-token', token: identitytoken };
  if (typeof auth === 'string' && auth !== '') {
    const pair = Buffer.from(auth, 'base64').toString('utf8');
    const colon = pair.indexOf(':');
    // Docker pads passwords with NUL characters in old files.
    if (colon > 0) return { kind: 'basic', username: pair.slice(0, colon), password: pair.slice(colon + 1).replace(/\0+$/, '') };
  }
  if (typeof username === 'string' && username !== '' && typeof password === 'string') return { kind: 'basic', username, password };
  return undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
