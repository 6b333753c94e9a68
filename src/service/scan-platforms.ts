import type { Checked } from '../model/diagnostic.ts';
import type { BuildSpec } from '../model/plan.ts';
import { envValues } from '../task/command/unquote-env.ts';
import { type DockerfileScan, scanDockerfile } from '../task/dockerfile/scan-dockerfile.ts';

type ScannedSpec = Pick<BuildSpec, 'platforms' | 'buildArgs' | 'env' | 'target' | 'buildContexts'>;

/** One scan for each platform that a build makes; the engine's own where it names none. */
export function scanForPlatforms(
  dockerfile: { readonly name: string; readonly text: string },
  spec: ScannedSpec,
  enginePlatform: string,
  everyStage = false,
): Checked<readonly DockerfileScan[]> {
  const named = spec.platforms.filter((platform) => platform !== '' && platform !== 'local');
  return scanDockerfile(dockerfile, {
    buildArgs: buildArgValues(spec),
    target: spec.target ?? '',
    platforms: named.length === 0 ? [enginePlatform] : named,
    buildPlatform: enginePlatform,
    everyStage,
    contexts: new Set(spec.buildContexts.map((one) => one.split('=', 1)[0] ?? '')),
  });
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
