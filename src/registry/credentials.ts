import { readFile } from 'node:fs/promises';
import type { Diagnostic } from '../model/diagnostic.ts';
import { EngineError } from '../model/engine-error.ts';
import { DOCKER_HUB } from '../model/image-reference.ts';
import type { CredentialSource, RegistryCredential } from '../model/ports/credential-source.ts';
import { err, ok, type Result } from '../util/result.ts';
import { askCredentialHelper } from './credential-helper.ts';
import { type DockerConfig, dockerConfigPath, readDockerConfig } from './docker-config.ts';
import { SharedAnswers } from './shared-answers.ts';

/** A login for one registry, given by flag or by a task's credentials. The user name `<token>` marks an identity token. */
export interface ExplicitCredential {
  readonly host: string;
  readonly username: string;
  readonly password:
    | { readonly kind: 'env'; readonly name: string }
    | { readonly kind: 'file'; readonly path: string }
    | { readonly kind: 'value'; readonly value: string };
}

export interface CredentialSourceOptions {
  /** Later entries win over earlier ones for the same host. */
  readonly explicit: readonly ExplicitCredential[];
  /** By default `config.json` in DOCKER_CONFIG or `~/.docker`. */
  readonly dockerConfigPath?: string;
  /** For `env:` passwords, DOCKER_CONFIG and credential helpers; by default the environment of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Called once for what was passed over, such as a helper that is not installed. */
  onWarning?(message: string): void;
}

/** Explicit logins first, then docker's configuration with its helpers. Answers are kept; nothing is read before it is asked for. */
export function createCredentialSource(options: CredentialSourceOptions): CredentialSource {
  const environment = options.environment ?? process.env;
  const explicit = new Map(options.explicit.map((credential) => [normaliseHost(credential.host), credential]));
  const answers = new SharedAnswers<RegistryCredential | undefined>();
  let config: Promise<DockerConfig> | undefined;

  const find = async (host: string, signal: AbortSignal): Promise<RegistryCredential | undefined> => {
    const named = explicit.get(host);
    if (named !== undefined) return readExplicit(named, environment);
    config ??= readDockerConfig(options.dockerConfigPath ?? dockerConfigPath(environment));
    const warn = options.onWarning ?? (() => undefined);
    return fromDockerConfig(await config, host, { environment: definedOnly(environment), warn, signal });
  };
  return {
    forHost: (written, signal) => {
      const host = normaliseHost(written);
      return answers.get(host, (stop) => find(host, stop), signal);
    },
    explicitHosts: () => [...explicit.keys()],
  };
}

async function fromDockerConfig(
  config: DockerConfig,
  host: string,
  context: { readonly environment: Readonly<Record<string, string>>; readonly signal: AbortSignal; warn(message: string): void },
): Promise<RegistryCredential | undefined> {
  const helper = config.helpers.get(host) ?? config.store;
  if (helper !== '') {
    const answer = await askCredentialHelper(helper, host, context.environment, context.signal);
    if (answer === 'not-installed')
      context.warn(`docker-credential-${helper} of docker's config.json is not installed: ${host} is used without it`);
    else if (answer !== undefined) return answer;
  }
  return config.auths.get(host);
}

async function readExplicit(
  { host, username, password }: ExplicitCredential,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<RegistryCredential> {
  const secret = await passwordOf(host, password, environment);
  return username === '<token>' ? { kind: 'identity-token', token: secret } : { kind: 'basic', username, password: secret };
}

async function passwordOf(
  host: string,
  password: ExplicitCredential['password'],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  if (password.kind === 'value') return password.value;
  const missing = (what: string): EngineError => new EngineError('registry-denied', `the password for ${host} is not there: ${what}`);
  if (password.kind === 'env') {
    const value = environment[password.name];
    if (value === undefined || value === '') throw missing(`the environment variable ${password.name} is not set or empty`);
    return value;
  }
  const text = await readFile(password.path, 'utf8').catch(() => undefined);
  if (text === undefined) throw missing(`cannot read ${password.path}`);
  const value = text.replace(/\r?\n$/, '');
  if (value === '') throw missing(`${password.path} is empty`);
  return value;
}

function normaliseHost(host: string): string {
  const bare = host
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/, '');
  return bare === 'index.docker.io' || bare === 'registry-1.docker.io' || bare === 'registry.hub.docker.com' ? DOCKER_HUB : bare;
}

function definedOnly(environment: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/**
 * Reads `--registry-credential HOST=USER:env:NAME` or `HOST=USER:file:PATH`. A password in the flag itself is refused, and
 * nothing after the host is repeated in the diagnostic: it may be one.
 */
export function parseRegistryCredential(text: string): Result<ExplicitCredential, Diagnostic> {
  const equals = text.indexOf('=');
  const host = text.slice(0, Math.max(equals, 0));
  if (!/^[A-Za-z0-9.[\]:-]+$/.test(host)) {
    return mistake(
      'registry-credential-syntax',
      'a registry credential does not start with HOST=',
      'Write HOST=USER:env:NAME or HOST=USER:file:PATH, for example ghcr.io=ann:env:GHCR_TOKEN.',
    );
  }
  const match = /^([^:]*(?::(?!env:|file:)[^:]*)*):(env|file):(.+)$/s.exec(text.slice(equals + 1));
  if (match === null) {
    return mistake(
      'registry-credential-literal',
      `the credential for ${host} does not say where its password comes from`,
      'Every user of the machine can read the arguments of a program, so put the password into an environment variable or a file: HOST=USER:env:NAME or HOST=USER:file:PATH.',
    );
  }
  const [, username = '', kind, source = ''] = match;
  if (username === '')
    return mistake(
      'registry-credential-syntax',
      `the credential for ${host} has no user name`,
      'Write HOST=USER:env:NAME; for an identity token the user is <token>.',
    );
  if (kind === 'file') return ok({ host, username, password: { kind: 'file', path: source } });
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(source)) {
    return mistake(
      'registry-credential-literal',
      `the credential for ${host} names no environment variable after env:`,
      'Write the name of a variable, not its value: HOST=USER:env:NAME.',
    );
  }
  return ok({ host, username, password: { kind: 'env', name: source } });
}

function mistake(code: Diagnostic['code'], message: string, help: string): { readonly ok: false; readonly error: Diagnostic } {
  return err({ code, severity: 'error', message, expected: 'HOST=USER:env:NAME or HOST=USER:file:PATH', help });
}
