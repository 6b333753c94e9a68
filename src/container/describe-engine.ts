import type { IncomingHttpHeaders } from 'node:http';
import type { EngineDescription } from '../model/ports/container-engine.ts';
import { type EngineEndpoint, endpointText } from './endpoint.ts';
import { type EngineApi, toEngineError } from './engine-api.ts';

interface Info {
  readonly ServerVersion: string;
  readonly OSType: string;
  readonly Architecture: string;
  readonly NCPU?: number;
  readonly InitBinary?: string;
  readonly InitCommit?: { readonly ID?: string };
}

/** Asks the engine who it is. Rejects with EngineError. */
export async function describeEngine(api: EngineApi, endpoint: EngineEndpoint): Promise<EngineDescription> {
  const reached = endpointText(endpoint);
  try {
    // The engine starts programs for /version and for /info (10 ms each); what the former has besides is in the headers of a ping.
    const [ping, info] = await Promise.all([pingHeaders(api), api.json<Info>({ method: 'GET', path: '/info' })]);
    const podman = ping['libpod-api-version'] !== undefined;
    const apiVersion = String(ping['api-version'] ?? '');
    const os = info.OSType.toLowerCase();
    return {
      kind: podman ? 'podman' : 'docker',
      version: info.ServerVersion,
      apiVersion,
      // Podman has no session API. `Builder-Version` of the ping names only the builder that is used unasked (1 on 20.10).
      buildkit: !podman && os === 'linux' && isAtLeast(apiVersion, 1, 39),
      os,
      architecture: goArchitecture(info.Architecture),
      cpus: info.NCPU ?? 1,
      // An engine that does not find its init says N/A. Podman does not tell.
      init: !podman && (info.InitBinary ?? '') !== '' && info.InitCommit?.ID !== 'N/A',
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

async function pingHeaders(api: EngineApi): Promise<IncomingHttpHeaders> {
  const answer = await api.stream({ method: 'GET', path: '/_ping' });
  answer.resume();
  return answer.headers;
}

/** Architectures in the words of the kernel that differ from those of Go. */
const GO_ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  i386: '386',
  i686: '386',
  aarch64: 'arm64',
  armv6l: 'arm',
  armv7l: 'arm',
  loongarch64: 'loong64',
};

function goArchitecture(name: string): string {
  return GO_ARCHITECTURES[name] ?? name;
}
