import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDockerEngine } from '../../src/container/docker-engine.ts';
import type { BaseImage } from '../../src/model/image.ts';
import type { ContainerEngine, RunSpace } from '../../src/model/ports/container-engine.ts';
import type { CredentialSource } from '../../src/model/ports/credential-source.ts';
import { createRegistryClient } from '../../src/registry/registry-client.ts';
import { createBuildInputs } from '../../src/service/build-inputs.ts';
import { parseBuild } from '../../src/task/build/parse-build.ts';
import { noContextParts } from '../support/context-parts.ts';
import { type LocalRegistry, startLocalRegistry } from '../support/local-registry.ts';

const nobody: CredentialSource = { forHost: async () => undefined, explicitHosts: () => [] };
const signal = new AbortController().signal;
const docker = new Docker();
const images = new Set<string>();

let registry: LocalRegistry;
let engine: ContainerEngine;
let space: RunSpace;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-pinning-'));
  registry = await startLocalRegistry();
  engine = await createDockerEngine();
  space = await engine.openRun({
    runId: `pin${process.pid}`,
    networks: [],
    lanes: [],
    volumes: [],
    workspace: { kind: 'volume', name: `slipway-pin-${process.pid}`, seed: undefined },
    dockerSocket: false,
    credentials: nobody,
    durableLogs: false,
    insecureRegistries: [],
  });
});

afterAll(async () => {
  await space.destroy({ signal });
  await engine.close();
  for (const image of images) {
    await docker
      .getImage(image)
      .remove({ force: true })
      .catch(() => undefined);
  }
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Built {
  readonly imageId: string;
  readonly bases: readonly BaseImage[];
  readonly notes: readonly string[];
}

let count = 0;

/** Prepares and builds a Dockerfile, with every real part there is. */
async function build(dockerfile: string, text: string, builtTags: readonly string[] = []): Promise<Built> {
  count += 1;
  const directory = join(folder, String(count));
  await mkdir(directory);
  await writeFile(join(directory, 'Dockerfile'), dockerfile);
  const range = { source: { name: 't', text }, start: 0, end: text.length };
  const spec = parseBuild(text, { stepId: 'b', taskName: '', registry: '', cache: '', env: [], workdir: '/workspace', range });
  if (!spec.ok) throw new Error(spec.error[0]?.message);
  for (const tag of spec.value.value.tags) images.add(tag);
  const client = createRegistryClient({ credentials: nobody, insecureRegistries: [], retry: { attempts: 1, baseMs: 1, capMs: 1 } });
  const findImage = (reference: string) => engine.findImage(reference);
  const inputs = createBuildInputs({ ...noContextParts(), registry: client, findImage, builtTags: () => new Set(builtTags) });
  const notes: string[] = [];
  const { os, architecture } = await engine.describe();
  const prepared = await inputs.prepare({
    step: 'b',
    spec: spec.value.value,
    workspace: { kind: 'directory', path: directory },
    platform: `${os}/${architecture}`,
    signal,
    onNote: (level, message) => notes.push(`${level} ${message}`),
  });
  const output: string[] = [];
  const request = { step: 'b', attempt: count, spec: spec.value.value, inputs: prepared, secrets: new Map() };
  const io = {
    signal,
    onOutput: (_stream: string, chunk: Uint8Array): void => {
      output.push(Buffer.from(chunk).toString());
    },
    onProgress: () => undefined,
  };
  const outcome = await space.build(request, io);
  await prepared.dispose();
  client.close();
  if (!outcome.ok) throw new Error(`${outcome.message}\n${output.join('')}`);
  images.add(outcome.imageId);
  return { imageId: outcome.imageId, bases: prepared.baseImages, notes };
}

async function labelOf(image: string): Promise<string | undefined> {
  return (await docker.getImage(image).inspect()).Config.Labels?.['version'];
}

describe('base images of real builds', () => {
  it('are what the registry names now, also when the engine has an older one under that name', async () => {
    const base = `${registry.host}/base:1`;
    const old = await build('FROM busybox:local\nLABEL version=old\n', `-t ${base} .`);
    expect(old.bases).toEqual([
      expect.objectContaining({ reference: 'busybox:local', source: 'engine', imageId: expect.stringMatching(/^sha256:/) }),
    ]);
    await space.push({ reference: base }, { signal, onTransfer: () => undefined });
    await build('FROM busybox:local\nLABEL version=new\n', `-t ${base} .`);
    const pushed = await space.push({ reference: base }, { signal, onTransfer: () => undefined });
    await docker.getImage(old.imageId).tag({ repo: `${registry.host}/base`, tag: '1' });

    const built = await build(`FROM ${base} AS b\nFROM b\nRUN true\n`, `-t ${registry.host}/app:1 .`);
    expect(await labelOf(built.imageId)).toBe('new');
    expect(pushed).toMatchObject({ ok: true });
    const digest = pushed.ok ? pushed.digest : '';
    expect(built.bases).toEqual([
      expect.objectContaining({ reference: base, source: 'registry', indexDigest: digest, platformDigest: digest }),
    ]);
    expect(built.notes).toEqual([]);

    const kept = await build(`FROM ${base}\n`, `--pull never -t ${registry.host}/app:2 .`);
    expect(await labelOf(kept.imageId)).toBe('old');
    expect(kept.bases).toEqual([expect.objectContaining({ source: 'engine', imageId: old.imageId })]);

    const own = await build(`FROM ${base}\n`, `-t ${registry.host}/app:3 .`, [base]);
    expect(await labelOf(own.imageId)).toBe('old');
  });

  it('are copied from by digest too', async () => {
    const tools = `${registry.host}/tools:1`;
    await build('FROM busybox:local\nRUN echo v1 > /version\n', `-t ${tools} .`);
    await space.push({ reference: tools }, { signal, onTransfer: () => undefined });
    const text = `FROM busybox:local\nCOPY --from=${tools} /version /version\nRUN test "$(cat /version)" = v1\nLABEL version=copied\n`;
    const built = await build(text, `-t ${registry.host}/copied:1 .`);
    expect(await labelOf(built.imageId)).toBe('copied');
    expect(built.bases.map(({ role, source }) => `${role} ${source}`)).toEqual(['runtime engine', 'buildtime registry']);
  });

  it('come from the engine, with a warning, when the registry is gone', async () => {
    const gone = '127.0.0.1:9/base:1';
    await build('FROM busybox:local\nLABEL version=here\n', `-t ${gone} .`);
    const built = await build(`FROM ${gone}\nRUN true\n`, `-t ${registry.host}/app:4 .`);
    expect(await labelOf(built.imageId)).toBe('here');
    expect(built.notes).toEqual([expect.stringContaining("the engine's copy is used")]);
  });
});
