import { loadSettings } from '../../config/load-settings.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { ok, type Result } from '../../util/result.ts';
import { readCredentials } from '../composition/credentials.ts';
import { lazyRegistry } from '../composition/lazy-registry.ts';
import { registryTrust } from '../composition/registry-trust.ts';
import { createRunEngine } from '../composition/run-engine.ts';
import { defaultLogRoot } from '../execution/log-directory.ts';
import type { Io } from '../io.ts';
import { type CheckResult, runCheck } from './check.ts';
import { engineChecks } from './engine-checks.ts';
import { machineChecks } from './machine-checks.ts';
import { registryChecks } from './registry-checks.ts';

interface ExamineFlags {
  readonly fix: boolean;
  readonly registry?: string;
  readonly registryCredential: readonly string[];
  readonly insecureRegistry: readonly string[];
  readonly trustedRealm: readonly string[];
  readonly engine?: string;
}

/** Runs every check, each on its own: one that fails keeps none of the others from being asked. */
export async function examine(flags: ExamineFlags, io: Io): Promise<Result<readonly CheckResult[], readonly Diagnostic[]>> {
  const settings = await loadSettings({ directory: io.directory, environment: io.environment, registry: flags.registry });
  if (!settings.ok) return settings;
  const credentials = readCredentials({ credential: [], registryCredential: flags.registryCredential }, io);
  if (!credentials.ok) return credentials;
  const { engine, close } = createRunEngine({ endpoint: flags.engine ?? settings.value.engine, environment: io.environment });
  const trust = registryTrust(settings.value, flags);
  const registry = {
    registry: settings.value.registry ?? '',
    client: lazyRegistry({ credentials: credentials.value, ...trust }),
    insecure: trust.insecureRegistries,
  };
  const checks = [
    ...engineChecks(engine, flags),
    ...registryChecks(registry),
    ...machineChecks(io.environment, defaultLogRoot(io.environment)),
  ];
  try {
    return ok(await Promise.all(checks.map(runCheck)));
  } finally {
    await close();
  }
}
