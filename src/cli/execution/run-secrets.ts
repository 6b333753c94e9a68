import type { Diagnostic } from '../../model/diagnostic.ts';
import type { CredentialSource } from '../../model/ports/credential-source.ts';
import type { SecretProvider } from '../../model/ports/secret-provider.ts';
import type { SecretReference } from '../../model/task.ts';
import { createCredentialSource, type ExplicitCredential } from '../../registry/credentials.ts';
import { isMaskable } from '../../util/masker.ts';
import { type GivenCredentials, parseCredentials } from '../composition/credentials.ts';
import { lazyPort } from '../composition/lazy-port.ts';
import type { Assignment } from '../flags/option-values.ts';
import type { RunFlags } from '../flags/run-flags.ts';
import type { TaskFlags } from '../flags/task-flags.ts';
import type { Io } from '../io.ts';
import { renderDiagnostics } from '../print-diagnostics.ts';
import type { SecretResolver } from '../source/load-for-command.ts';
import { readSecretValue } from '../source/secret-values.ts';

/** What a run gets from flags that hold or name secrets. */
export interface RunSecrets {
  readonly resolve: SecretResolver;
  readonly credentials: CredentialSource;
  /** Passwords and identity tokens of logins given by flags, named after their registries. */
  readonly passwords: readonly Assignment[];
  /** All texts by which those logins may show up in output. */
  readonly masked: readonly string[];
}

/** Reads the flags; undefined when one of them is wrong, which has then been said. Rejects with EngineError for vaults that fail. */
export async function openSecrets(flags: TaskFlags & RunFlags, io: Io, signal: AbortSignal): Promise<RunSecrets | undefined> {
  const given = parseCredentials(flags);
  const named = await readNamedSecrets(flags, io);
  const problems = [...(given.ok ? [] : given.error), ...named.problems];
  if (!given.ok || problems.length > 0) {
    io.stderr.write(renderDiagnostics(problems, io.paintError));
    return undefined;
  }
  const provider = createProvider(flags, io);
  const explicit = [...given.value.explicit, ...(await resolveVaults(given.value.vault, provider, signal))];
  const credentials = createCredentialSource({
    explicit,
    environment: io.environment,
    onWarning: (message) => io.stderr.write(`${io.paintError('yellow', 'warning:')} ${message}\n`),
  });
  return {
    resolve: (references) => resolveAll(references, { named: named.values, provider, signal }),
    credentials,
    ...(await readLogins(credentials)),
  };
}

/** Logins by flag end up in the home of the steps, so that steps may print them: as they are, or as docker's `auth`. */
async function readLogins(credentials: CredentialSource): Promise<Pick<RunSecrets, 'passwords' | 'masked'>> {
  const passwords: Assignment[] = [];
  const masked: string[] = [];
  for (const host of credentials.explicitHosts()) {
    // One that cannot be read has no value to hide; the run says what is wrong with it.
    const credential = await credentials.forHost(host).catch(() => undefined);
    if (credential === undefined) continue;
    const value = credential.kind === 'basic' ? credential.password : credential.token;
    passwords.push({ name: `login of ${host}`, value });
    masked.push(value);
    if (credential.kind === 'basic') masked.push(Buffer.from(`${credential.username}:${value}`).toString('base64'));
  }
  return { passwords, masked };
}

/** A warning for each secret that is too short to be masked. It never has the value. */
export function unmaskedWarnings(secrets: readonly Assignment[]): readonly Diagnostic[] {
  const names = secrets.filter(({ value }) => value.trim() !== '' && !isMaskable(value)).map(({ name }) => name);
  return [...new Set(names)].map((name) => ({
    code: 'secret-too-short',
    severity: 'warning',
    message: `the secret ${JSON.stringify(name)} has fewer than 4 bytes: it is not masked in the output`,
    help: 'use a longer value',
  }));
}

function createProvider(flags: TaskFlags, io: Io): SecretProvider {
  return lazyPort<SecretProvider>({ resolve: true }, async () => {
    const { createSecretProvider } = await import('../../service/secrets.ts');
    return createSecretProvider({
      environment: io.environment,
      directory: io.directory,
      map: new Map(flags.secretMap.map(({ name, value }) => [name, value])),
      allowExec: flags.allowExecSecrets,
    });
  });
}

async function readNamedSecrets(
  flags: TaskFlags,
  io: Io,
): Promise<{ readonly values: ReadonlyMap<string, string>; readonly problems: readonly Diagnostic[] }> {
  const values = new Map<string, string>();
  const problems: Diagnostic[] = [];
  for (const assignment of flags.secret) {
    const value = await readSecretValue('--secret', assignment, io, { literal: false });
    if (value.ok) values.set(assignment.name, value.value);
    else problems.push(value.error);
  }
  return { values, problems };
}

/** The values of a task's secrets; `--secret ID=…` beats what the file says. */
async function resolveAll(
  references: readonly SecretReference[],
  from: { readonly named: ReadonlyMap<string, string>; readonly provider: SecretProvider; readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, string>> {
  const { resolveSecrets } = await import('../../service/secrets.ts');
  const asked = references.filter(({ id }) => !from.named.has(id));
  const given = references.flatMap(({ id }) => (from.named.has(id) ? [[id, from.named.get(id) ?? ''] as const] : []));
  return new Map([...given, ...(await resolveSecrets(asked, from.provider, from.signal))]);
}

/** Logins whose user or password is the URL of a secret. */
async function resolveVaults(
  vaults: GivenCredentials['vault'],
  provider: SecretProvider,
  signal: AbortSignal,
): Promise<ExplicitCredential[]> {
  const read = (part: GivenCredentials['vault'][number]['username'], registry: string, identity: string): Promise<string> =>
    part.from === 'literal'
      ? Promise.resolve(part.value)
      : provider.resolve({ id: `credential of ${registry}`, keyvault: part.value, clientID: identity, signal });
  return Promise.all(
    vaults.map(async ({ registry, identity, username, password }) => ({
      host: registry,
      username: await read(username, registry, identity),
      password: { kind: 'value' as const, value: await read(password, registry, identity) },
    })),
  );
}
