import type { EngineDescription } from '../model/ports/container-engine.ts';
import { type EngineEndpoint, endpointText } from './endpoint.ts';
import { type EngineApi, toEngineError } from './engine-api.ts';

interface Version {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly Components?: readonly { readonly Name: string; readonly Version: string }[];
}

/** Asks the engine who it is. Rejects with EngineError. */
export async function describeEngine(api: EngineApi, endpoint: EngineEndpoint): Promise<EngineDescription> {
  const reached = endpointText(endpoint);
  try {
    const [version, info] = await Promise.all([
      api.json<Version>({ method: 'GET', path: '/version' }),
      api.json<{ NCPU?: number }>({ method: 'GET', path: '/info' }),
    ]);
    const podman = version.Components?.some(({ Name }) => /podman/i.test(Name)) === true;
    return {
      kind: podman ? 'podman' : 'docker',
      version: version.Version,
      apiVersion: version.ApiVersion,
      // Podman has no session API. `Builder-Version` of the ping names only the builder that is used unasked (1 on 20.10).
      buildkit: !podman && version.Os.toLowerCase() === 'linux' && isAtLeast(version.ApiVersion, 1, 39),
      os: version.Os.toLowerCase(),
      architecture: goArchitecture(version.Arch),
      cpus: info.NCPU ?? 1,
      endpoint: reached,
    };
  } catch (error) {
    throw toEngineError(error, `The container engine at ${reached}`);
  }
}

function isAtLeast(apiVersion: string, wantedMajor: number, wantedMinor: number): boolean {
  const [major = 0, minor = 0] = apiVersion.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function goArchitecture(name: string): string {
  return { x86_64: 'amd64', aarch64: 'arm64' }[name] ?? name;
}
