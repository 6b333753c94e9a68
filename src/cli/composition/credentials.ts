import type { Diagnostic } from '../../model/diagnostic.ts';
import type { CredentialSource } from '../../model/ports/credential-source.ts';
import { createCredentialSource, type ExplicitCredential, parseRegistryCredential } from '../../registry/credentials.ts';
import { parseCredential, type TaskCredential } from '../../task/credential.ts';
import { err, ok, type Result } from '../../util/result.ts';
import type { Io } from '../io.ts';

export interface CredentialFlags {
  /** ACR's JSON. */
  readonly credential: readonly string[];
  /** `HOST=USER:env:NAME` or `HOST=USER:file:PATH`. */
  readonly registryCredential: readonly string[];
}

/** Logins by flag, read and checked; values of vaults are still to be resolved. */
export interface GivenCredentials {
  readonly explicit: readonly ExplicitCredential[];
  readonly vault: readonly Extract<TaskCredential, { readonly kind: 'vault' }>[];
}

/** What is wrong with the JSON of `--credential`; for commands that log in nowhere but take the same flags. */
export function credentialProblems(credentials: readonly string[]): readonly Diagnostic[] {
  return credentials.flatMap((json) => {
    const parsed = parseCredential(json);
    return parsed.ok ? [] : [problem(parsed.error)];
  });
}

export function parseCredentials(flags: CredentialFlags): Result<GivenCredentials, readonly Diagnostic[]> {
  const explicit: ExplicitCredential[] = [];
  const vault: Extract<TaskCredential, { readonly kind: 'vault' }>[] = [];
  const problems: Diagnostic[] = [];
  for (const json of flags.credential) {
    const parsed = parseCredential(json);
    if (!parsed.ok) problems.push(problem(parsed.error));
    else if (parsed.value.kind === 'vault') vault.push(parsed.value);
    else if (parsed.value.kind === 'opaque') {
      const { registry, username, password } = parsed.value;
      explicit.push({ host: registry, username, password: { kind: 'value', value: password } });
    } else problems.push(problem(`${parsed.value.registry}: there is no Azure identity on this machine to log in with`));
  }
  for (const text of flags.registryCredential) {
    const parsed = parseRegistryCredential(text);
    if (parsed.ok) explicit.push(parsed.value);
    else problems.push(parsed.error);
  }
  return problems.length > 0 ? err(problems) : ok({ explicit, vault });
}

/** The credentials of a command that resolves no vaults. */
export function readCredentials(flags: CredentialFlags, io: Io): Result<CredentialSource, readonly Diagnostic[]> {
  const parsed = parseCredentials(flags);
  if (!parsed.ok) return parsed;
  const [vault] = parsed.value.vault;
  if (vault !== undefined) return err([problem(`${vault.registry}: a vault is only asked by \`task run\``)]);
  return ok(createCredentialSource({ explicit: parsed.value.explicit, environment: io.environment }));
}

function problem(message: string): Diagnostic {
  return {
    code: 'registry-credential-syntax',
    severity: 'error',
    message: `--credential: ${message}`,
    help: 'use `--registry-credential HOST=USER:env:NAME`, or both provider types `opaque`',
  };
}
