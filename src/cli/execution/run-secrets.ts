import type { Diagnostic } from '../../model/diagnostic.ts';
import type { CredentialSource } from '../../model/ports/credential-source.ts';
import type { SecretProvider } from '../../model/ports/secret-provider.ts';
import type { SecretReference } from '../../model/task.ts';
import { createCredentialSource, type ExplicitCredential } from '../../registry/credentials.ts';
import { type GivenCredentials, parseCredentials } from '../composition/credentials.ts';
import { lazyPort } from '../composition/lazy-port.ts';
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
  /** Passwords given by flags. */
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
  return {
    resolve: (references) => resolveAll(references, { named: named.values, provider, signal }),
    credentials: createCredentialSource({
      explicit,
      environment: io.environment,
      onWarning: (message) => io.stderr.write(`${io.paintError('yellow', 'warning:')} ${message}\n`),
    }),
    masked: explicit.flatMap(({ password }) => (password.kind === 'value' ? [password.value] : [])),
  };
}

function createProvider(flags: TaskFlags, io: Io): SecretProvider {
  return lazyPort<SecretProvider>(['resolve'], async () => {
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
