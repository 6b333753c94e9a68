import type { Checked, Diagnostic } from '../model/diagnostic.ts';
import type { BuildSpec } from '../model/plan.ts';
import { envValues } from '../task/command/unquote-env.ts';
import { type DockerfileScan, scanDockerfile } from '../task/dockerfile/scan-dockerfile.ts';
import { err, ok } from '../util/result.ts';

type ScannedSpec = Pick<BuildSpec, 'platforms' | 'buildArgs' | 'env' | 'target' | 'buildContexts'>;

/** One scan for each platform that a build makes, warnings once. */
export function scanForPlatforms(
  dockerfile: { readonly name: string; readonly text: string },
  spec: ScannedSpec,
  enginePlatform: string,
): Checked<readonly DockerfileScan[]> {
  const named = spec.platforms.filter((platform) => platform !== '' && platform !== 'local');
  const scans: DockerfileScan[] = [];
  const warnings = new Map<string, Diagnostic>();
  for (const platform of named.length === 0 ? [enginePlatform] : new Set(named)) {
    const scanned = scanDockerfile(dockerfile, {
      buildArgs: buildArgValues(spec),
      target: spec.target ?? '',
      platform,
      buildPlatform: enginePlatform,
      contexts: new Set(spec.buildContexts.map((one) => one.split('=', 1)[0] ?? '')),
    });
    if (!scanned.ok) return err(scanned.error);
    scans.push(scanned.value.value);
    for (const warning of scanned.value.warnings) warnings.set(warning.message, warning);
  }
  return ok({ value: scans, warnings: [...warnings.values()] });
}

/** Build arguments by name; a bare name takes its value from the step's environment, and is left out when it has none there. */
function buildArgValues({ buildArgs, env }: ScannedSpec): ReadonlyMap<string, string> {
  const environment = envValues(env);
  const values = new Map(envValues(buildArgs));
  for (const name of buildArgs.filter((arg) => !arg.includes('='))) {
    const value = environment.get(name);
    if (value !== undefined) values.set(name, value);
  }
  return values;
}
