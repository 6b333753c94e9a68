import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import Dockerode from 'dockerode';
import { extract } from 'tar-stream';
import { createImageBuilder } from '../../../src/container/build/build-image.ts';
import type { BuildRunContext } from '../../../src/container/image-builder.ts';
import type { BuildSpec } from '../../../src/model/plan.ts';
import type { PreparedBuild } from '../../../src/model/ports/build-inputs.ts';
import type { BuildOutcome, BuildProgress, BuildRequest, EngineDescription } from '../../../src/model/ports/container-engine.ts';
import { PLAIN_BUILD } from '../../support/plain-build.ts';

/** The base of every image here: the set-up of the tests puts it into the engine. */
export const BASE = 'busybox:local';

export const docker = new Dockerode({ socketPath: '/var/run/docker.sock' });

export async function describeDocker(): Promise<EngineDescription> {
  const version = await docker.version();
  return {
    kind: 'docker',
    version: version.Version,
    apiVersion: version.ApiVersion,
    buildkit: true,
    os: version.Os,
    architecture: version.Arch,
    cpus: 2,
    endpoint: '/var/run/docker.sock',
  };
}

const NOTHING_ASKED: BuildSpec = { ...PLAIN_BUILD, context: { kind: 'local', path: '.' } };

export interface BuildCase {
  readonly dockerfile: string;
  readonly dockerfileName?: string;
  readonly ignore?: readonly string[];
  readonly context?: PreparedBuild['context'];
  readonly baseImages?: PreparedBuild['baseImages'];
  readonly spec?: Partial<BuildSpec>;
  readonly secrets?: ReadonlyMap<string, Uint8Array>;
  readonly environment?: Partial<BuildRunContext>;
  readonly signal?: AbortSignal;
  readonly engine?: Partial<EngineDescription>;
  readonly client?: Dockerode;
  readonly onOutput?: (text: string) => void;
}

export interface BuildReport {
  readonly outcome: BuildOutcome;
  readonly stdout: string;
  readonly stderr: string;
  readonly progress: readonly BuildProgress[];
}

/** Makes a spec out of what a case names. */
export function makeSpec(spec: Partial<BuildSpec> = {}): BuildSpec {
  return { ...NOTHING_ASKED, ...spec };
}

/** Runs one build on the engine and collects what it says. */
export async function build(wanted: BuildCase): Promise<BuildReport> {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const progress: BuildProgress[] = [];
  const request: BuildRequest = {
    step: 'image',
    attempt: 1,
    spec: makeSpec(wanted.spec),
    secrets: wanted.secrets ?? new Map(),
    inputs: {
      context: wanted.context ?? { kind: 'empty' },
      dockerfile: { name: wanted.dockerfileName ?? 'Dockerfile', text: wanted.dockerfile },
      ignore: wanted.ignore ?? [],
      baseImages: wanted.baseImages ?? [],
      gitHead: '',
      dispose: async () => undefined,
    },
  };
  const builder = createImageBuilder(wanted.client ?? docker, { ...(await describeDocker()), ...wanted.engine });
  const outcome = await builder.build(
    request,
    {
      signal: wanted.signal ?? new AbortController().signal,
      onOutput: (stream, chunk) => {
        const text = Buffer.from(chunk).toString('utf8');
        (stream === 'stdout' ? stdout : stderr).push(text);
        wanted.onOutput?.(text);
      },
      onProgress: (entry) => {
        progress.push(entry);
      },
    },
    { ...new MemoryWorkspace().context(), ...wanted.environment },
  );
  if (outcome.ok && outcome.imageId !== '' && wanted.client === undefined) built.add(outcome.imageId);
  return { outcome, stdout: stdout.join(''), stderr: stderr.join(''), progress };
}

const built = new Set<string>();

/** Removes the images of the builds so far that have no name: nothing else would ever collect them. */
export async function removeUnnamed(): Promise<void> {
  for (const id of built) {
    const image = docker.getImage(id);
    const info = await image.inspect().catch(() => undefined);
    if (info !== undefined && (info.RepoTags ?? []).length === 0) await image.remove().catch(() => undefined);
  }
  built.clear();
}

/** The image id of a build that must have worked. */
export function imageOf(report: BuildReport): string {
  if (!report.outcome.ok) throw new Error(`the build failed: ${report.outcome.message}\n${report.stderr}`);
  return report.outcome.imageId;
}

/** A workspace held in memory: what builds read from it and write into it. */
export class MemoryWorkspace {
  readonly files = new Map<string, Buffer>();
  archive: Readable | undefined;

  context(): BuildRunContext {
    return {
      runId: 'buildtests',
      labels: {},
      insecureRegistries: [],
      credentials: { forHost: async () => undefined, explicitHosts: () => [] },
      readWorkspaceTar: async () => this.archive ?? Readable.from([]),
      readWorkspaceFile: async (path) => this.files.get(path),
      writeWorkspaceTar: async (directory, tar) => {
        for (const [name, content] of await readTar(tar)) this.files.set(join(directory, name), content);
      },
    };
  }
}

/** Contents of the files of a tar, by name. */
export async function readTar(tar: Readable): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const entries = extract();
  tar.on('error', (error) => entries.destroy(error));
  tar.pipe(entries);
  for await (const entry of entries) {
    const content = await buffer(entry);
    if (entry.header.type === 'file') files.set(entry.header.name, content);
  }
  return files;
}

/** A directory for a test: names map to a text, `->` and a link's text, or `/` for an empty directory. Removed by `remove`. */
export function makeDirectory(files: Readonly<Record<string, string>>): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'slipway-build-'));
  for (const [name, content] of Object.entries(files)) {
    const target = join(path, name);
    if (content === '/') {
      mkdirSync(target, { recursive: true });
      continue;
    }
    mkdirSync(dirname(target), { recursive: true });
    if (content.startsWith('->')) symlinkSync(content.slice(2), target);
    else writeFileSync(target, content);
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Runs a command in an image and returns what it prints. */
export async function runInImage(image: string, command: readonly string[]): Promise<string> {
  const container = await docker.createContainer({ Image: image, Cmd: [...command], HostConfig: { NetworkMode: 'none' } });
  try {
    await container.start();
    await container.wait();
    const logs = (await container.logs({ stdout: true, stderr: true })) as unknown as Buffer;
    return demultiplex(logs);
  } finally {
    await container.remove({ force: true });
  }
}

function demultiplex(logs: Buffer): string {
  const parts: Buffer[] = [];
  for (let offset = 0; offset + 8 <= logs.length; ) {
    const length = logs.readUInt32BE(offset + 4);
    parts.push(logs.subarray(offset + 8, offset + 8 + length));
    offset += 8 + length;
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Removes an image when it is there. */
export async function removeImage(reference: string, client: Dockerode = docker): Promise<void> {
  await client
    .getImage(reference)
    .remove({ force: true })
    .catch(() => undefined);
}
