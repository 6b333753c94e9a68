import { EngineError } from '../model/engine-error.ts';
import type { RegistryCredential } from '../model/ports/credential-source.ts';
import { runProcess } from '../util/process.ts';
import { serverName } from './docker-config.ts';

const TIMEOUT_MS = 60_000;
/** It has nothing to clean up. */
const GRACE_MS = 1000;

/**
 * Asks `docker-credential-NAME get`; undefined when it knows nothing of the host. What the helper prints never gets into an
 * error: it may hold the secret. `not-installed` lets the caller choose another source.
 */
export async function askCredentialHelper(
  name: string,
  host: string,
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<RegistryCredential | 'not-installed' | undefined> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new EngineError('registry-denied', `the credential helper ${JSON.stringify(name.slice(0, 100))} has no valid name`, {
      help: "Mend credHelpers or credsStore in docker's config.json.",
    });
  }
  const program = `docker-credential-${name}`;
  const outcome = await runProcess({
    file: program,
    args: ['get'],
    env: environment,
    input: serverName(host),
    signal,
    timeoutMs: TIMEOUT_MS,
    graceMs: GRACE_MS,
    maxOutput: 1024 * 1024,
  });
  if (outcome.kind === 'not-started') return 'not-installed';
  const output = outcome.stdout.toString('utf8');
  if (
    outcome.kind === 'exited' &&
    outcome.exitCode !== 0 &&
    /credentials not found|no credentials server URL|not found in native keychain/i.test(output)
  )
    return undefined;
  if (outcome.kind !== 'exited' || outcome.exitCode !== 0) {
    const how = outcome.kind === 'exited' ? `exit code ${outcome.exitCode}` : outcome.kind;
    throw new EngineError('registry-denied', `${program} gave no credentials for ${host} (${how})`, {
      help: `See what it says: echo ${serverName(host)} | ${program} get`,
    });
  }
  const credential = readAnswer(output);
  if (credential === undefined)
    throw new EngineError('registry-denied', `${program} answered for ${host} with something that is no credential`);
  return credential === 'nothing' ? undefined : credential;
}

function readAnswer(output: string): RegistryCredential | 'nothing' | undefined {
  try {
    const { Username, Secret }: { Username?: unknown; Secret?: unknown } = JSON.parse(output);
    if (typeof Username !== 'string' || typeof Secret !== 'string') return undefined;
    if (Secret === '') return 'nothing';
    return Username === '<token>' ? { kind: 'identity-token', token: Secret } : { kind: 'basic', username: Username, password: Secret };
  } catch {
    return undefined;
  }
}
