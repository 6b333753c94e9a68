import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { EngineError } from '../../src/model/engine-error.ts';
import type { BuildInputsRequest, PreparedBuild } from '../../src/model/ports/build-inputs.ts';
import { type BuildInputsParts, createBuildInputs } from '../../src/service/build-inputs.ts';
import { parseBuild } from '../../src/task/build/parse-build.ts';
import { noContextParts } from '../support/context-parts.ts';
import { useOwnTmpdir } from '../support/own-tmpdir.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const PLATFORM_DIGEST = `sha256:${'2'.repeat(64)}`;
const made: string[] = [];
const temporary = useOwnTmpdir();
const left = (): Promise<readonly string[]> => temporary.entries('slipway-context-');

afterEach(async () => {
  for (const directory of made.splice(0)) await rm(directory, { recursive: true, force: true });
});

async function folder(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-inputs-'));
  made.push(directory);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
  return directory;
}

interface Given {
  readonly workdir?: string;
  readonly workspace?: BuildInputsRequest['workspace'];
  readonly parts?: Partial<BuildInputsParts>;
  readonly env?: readonly string[];
}

interface Prepared {
  readonly build: PreparedBuild;
  readonly notes: readonly string[];
}

/** Prepares a build text in a folder; a registry knows every image of r.io. */
async function prepare(text: string, directory: string | undefined, given: Given = {}): Promise<Prepared> {
  const range = { source: { name: 't', text }, start: 0, end: text.length };
  const options = {
    stepId: 'b',
    taskName: '',
    registry: '',
    cache: '',
    env: given.env ?? [],
    workdir: given.workdir ?? '/workspace',
    range,
  } as const;
  const spec = parseBuild(text, options);
  if (!spec.ok) throw new Error(spec.error[0]?.message);
  const notes: string[] = [];
  const inputs = createBuildInputs({
    ...noContextParts(),
    findImage: async () => undefined,
    builtTags: () => new Set(),
    ...given.parts,
    registry: registryOf(given),
  });
  const build = await inputs.prepare({
    step: 'b',
    spec: spec.value.value,
    workspace: given.workspace ?? { kind: 'directory', path: directory },
    platform: 'linux/amd64',
    signal: new AbortController().signal,
    onNote: (level, message) => notes.push(`${level} ${message}`),
  });
  return { build, notes };
}

function registryOf({ parts }: Given): BuildInputsParts['registry'] {
  const resolve = async (reference: string) =>
    reference.startsWith('r.io/') ? { digest: DIGEST, platformDigest: PLATFORM_DIGEST, mediaType: '' } : undefined;
  return { ...noContextParts().registry, resolve, ...parts?.registry };
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of content) text += Buffer.from(chunk).toString();
  return text;
}

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof EngineError ? `${error.code}: ${error.message}` : String(error);
}

describe('builds with a local context', () => {
  it('pins the Dockerfile to what the registry names now, line for line', async () => {
    const directory = await folder({
      Dockerfile: 'ARG V=1\r\nFROM r.io/go:$V AS go\r\nRUN x\r\nFROM r.io/base\r\nCOPY --from=go a b\r\n',
      '.dockerignore': '# c\r\nnode_modules\n!x\n',
    });
    const { build, notes } = await prepare('-t a .', directory);
    expect(build.context).toEqual({ kind: 'directory', path: directory });
    expect(build.dockerfile).toEqual({
      name: 'Dockerfile',
      text: `ARG V=1\r\nFROM r.io/go@${DIGEST} AS go\r\nRUN x\r\nFROM r.io/base@${DIGEST}\r\nCOPY --from=go a b\r\n`,
    });
    expect(build.ignore).toEqual(['# c', 'node_modules', '!x', '']);
    expect(build.baseImages).toEqual([
      {
        reference: 'r.io/base',
        platform: 'linux/amd64',
        role: 'runtime',
        source: 'registry',
        indexDigest: DIGEST,
        platformDigest: PLATFORM_DIGEST,
      },
      {
        reference: 'r.io/go:1',
        platform: 'linux/amd64',
        role: 'buildtime',
        source: 'registry',
        indexDigest: DIGEST,
        platformDigest: PLATFORM_DIGEST,
      },
    ]);
    expect(build.gitHead).toBe('');
    expect(notes).toEqual([]);
  });

  it('reads -f from the working directory, and its own ignore file first', async () => {
    const directory = await folder({
      'src/docker/D': 'FROM scratch\n',
      'src/docker/D.dockerignore': 'own',
      'src/app/.dockerignore': 'other',
      'src/app/Dockerfile': 'FROM wrong\n',
    });
    const { build } = await prepare('-f docker/D app', directory, { workdir: '/workspace/src' });
    expect(build).toMatchObject({ context: { path: join(directory, 'src/app') }, dockerfile: { name: 'docker/D' }, ignore: ['own'] });
  });

  it('tells the commit of a checkout', async () => {
    const directory = await folder({ Dockerfile: 'FROM scratch' });
    const describeCheckout = async () => ({ commit: 'abc', branch: 'main', remote: '' });
    const { build } = await prepare('.', directory, { parts: { git: { ...noContextParts().git, describe: describeCheckout } } });
    expect(build.gitHead).toBe('abc');
  });

  it('reads what earlier steps left in the workspace', async () => {
    const files: Record<string, string> = { '/workspace/app/Dockerfile': 'FROM r.io/a', '/workspace/app/.dockerignore': 'x' };
    const readFile = async (path: string) => (files[path] === undefined ? undefined : Buffer.from(files[path]));
    const { build } = await prepare('app', undefined, { workspace: { kind: 'workspace', readFile } });
    expect(build).toMatchObject({
      context: { kind: 'workspace', path: '/workspace/app' },
      dockerfile: { text: `FROM r.io/a@${DIGEST}` },
      ignore: ['x'],
    });
  });

  it('takes bare build arguments from the environment of the step', async () => {
    const directory = await folder({ Dockerfile: 'ARG BASE\nFROM $BASE' });
    const { build } = await prepare('--build-arg BASE .', directory, { env: ['BASE=r.io/b:2'] });
    expect(build.baseImages[0]?.reference).toBe('r.io/b:2');
    expect(build.dockerfile.text).toBe(`ARG BASE\nFROM r.io/b@${DIGEST}`);
  });

  it('takes the base images that a run was given in place of those that are written', async () => {
    const directory = await folder({
      Dockerfile: 'FROM r.io/go:1 AS go\nFROM r.io/base\nCOPY --from=go a b\nCOPY --from=other:1 a b\nCOPY --from=elsewhere.io/x:1 a b\n',
    });
    const asked: string[] = [];
    const resolve = async (reference: string) => {
      asked.push(reference);
      return reference.startsWith('r.io/') ? { digest: DIGEST, platformDigest: PLATFORM_DIGEST, mediaType: '' } : undefined;
    };
    const baseImages = [
      { reference: 'r.io/base:latest', use: 'r.io/base:1.4' },
      { reference: 'docker.io/library/other:1', use: 'other:1.9' },
    ];
    const { build, notes } = await prepare('-t a .', directory, {
      parts: { registry: { ...noContextParts().registry, resolve }, baseImages },
    });
    expect(asked.sort()).toEqual(['elsewhere.io/x:1', 'other:1.9', 'r.io/base:1.4', 'r.io/go:1']);
    expect(build.dockerfile.text).toBe(
      `FROM r.io/go@${DIGEST} AS go\nFROM r.io/base@${DIGEST}\nCOPY --from=go a b\nCOPY --from=other:1.9 a b\nCOPY --from=elsewhere.io/x:1 a b\n`,
    );
    expect(build.baseImages.map(({ reference, indexDigest }) => `${reference} ${indexDigest}`)).toEqual([
      `r.io/base ${DIGEST}`,
      `r.io/go:1 ${DIGEST}`,
      'other:1 ',
      'elsewhere.io/x:1 ',
    ]);
    expect(notes).toContain('info The base image r.io/base is taken as r.io/base:1.4, the newest that the task follows.');
  });

  it('says when an image cannot be taken otherwise than written', async () => {
    const directory = await folder({ Dockerfile: 'FROM r.io/go\nARG B=r.io/base:1\nFROM $B\n' });
    const baseImages = [{ reference: 'r.io/base:1', use: 'r.io/base:2' }];
    const { build, notes } = await prepare('-t a .', directory, { parts: { baseImages } });
    expect(build.dockerfile.text).toContain('FROM $B');
    expect(notes.join()).toContain('is not taken as r.io/base:2');
  });

  it('pins one Dockerfile for several platforms only where they agree', async () => {
    const directory = await folder({ Dockerfile: 'FROM r.io/base AS b\nFROM r.io/app-$TARGETARCH\nCOPY --from=b x y\n' });
    const { build } = await prepare('--platform linux/amd64,linux/arm64 .', directory);
    expect(build.dockerfile.text).toBe(`FROM r.io/base@${DIGEST} AS b\nFROM r.io/app-$TARGETARCH\nCOPY --from=b x y\n`);
    expect(build.baseImages.map(({ reference, platform, role }) => `${reference} ${platform} ${role}`)).toEqual([
      'r.io/app-amd64 linux/amd64 runtime',
      'r.io/base linux/amd64 buildtime',
      'r.io/app-arm64 linux/arm64 runtime',
      'r.io/base linux/arm64 buildtime',
    ]);
  });

  it('hands what it cannot read as a Dockerfile to the engine, with a note', async () => {
    const directory = await folder({ Dockerfile: 'RUN true\n' });
    const { build, notes } = await prepare('.', directory);
    expect(build).toMatchObject({ dockerfile: { text: 'RUN true\n' }, baseImages: [] });
    expect(notes).toEqual(['warning Dockerfile: This Dockerfile has no FROM. It goes to the engine as it is.']);
  });

  it.each([
    ['nodir', 'dockerfile-missing: the build context `nodir` is no directory of the workspace'],
    ['sub', 'dockerfile-missing: there is no Dockerfile at `sub/Dockerfile`'],
    ['-f nope .', 'dockerfile-missing: there is no Dockerfile at `nope`'],
    ['..', 'context-rejected: the build context `..` is outside of the workspace'],
    ['/etc', 'context-rejected: the build context `/etc` is outside of the workspace'],
    ['-f ../D .', 'context-rejected: the file `../D` is outside of the workspace'],
    ['-f big .', 'context-rejected: the file `big` of the build context has more than 1048576 bytes'],
    ['-f pipe .', 'context-rejected: the file `pipe` of the build context is no regular file'],
    ['-f sub .', 'dockerfile-missing: there is no Dockerfile at `sub`'],
    ['out', "context-rejected: the build context `out` leads out of the run's source directory through a symbolic link"],
    ['-f out/passwd .', "context-rejected: the file `out/passwd` leads out of the run's source directory through a symbolic link"],
    ['-', 'context-rejected: the build context is to be read from standard input, and this run has none'],
    ['-f - .', 'context-rejected: the Dockerfile is to be read from standard input, and this run has none'],
    ['/dev/null', 'dockerfile-missing: there is no Dockerfile at `Dockerfile`'],
  ])('refuses %s', async (text, expected) => {
    const directory = await folder({ 'sub/x': '', big: 'x'.repeat(1024 * 1024 + 1), 'y/z': '' });
    await symlink('/etc', join(directory, 'out'));
    execFileSync('mkfifo', [join(directory, 'pipe')]);
    expect(await failure(prepare(text, directory))).toBe(expected);
  });

  it('says so when the run has no source directory', async () => {
    expect(await failure(prepare('.', undefined))).toBe(
      'context-rejected: the build context is a local path, and this run has no source directory',
    );
  });

  it('builds from a Dockerfile alone with /dev/null', async () => {
    const directory = await folder({ D: 'FROM scratch' });
    expect((await prepare('-f D /dev/null', directory)).build).toMatchObject({
      context: { kind: 'empty' },
      dockerfile: { text: 'FROM scratch' },
      ignore: [],
    });
  });
});

describe('builds with a fetched context', () => {
  const fetcher = {
    fetchArchive: async (_url: string, directory: string) => {
      await mkdir(join(directory, 'sub'));
      await writeFile(join(directory, 'sub/Dockerfile'), 'FROM scratch');
      await writeFile(join(directory, 'D'), 'FROM r.io/root');
      await symlink('/sub', join(directory, 'link'));
    },
    unpackStream: async (content: AsyncIterable<Uint8Array>, directory: string) => {
      const text = await textOf(content);
      if (text.startsWith('FROM')) return { kind: 'dockerfile' as const, text };
      await writeFile(join(directory, 'Dockerfile'), `FROM r.io/${text}`);
      return { kind: 'archive' as const };
    },
  };

  async function* bytes(text: string): AsyncGenerator<Uint8Array> {
    yield Buffer.from(text);
  }

  it('looks for the Dockerfile below the fetched directory, and removes it at the end', async () => {
    const before = (await left()).length;
    const { build } = await prepare('-f ../D https://h/x.tgz#:link', undefined, { parts: { fetcher } });
    expect(build.dockerfile.text).toBe(`FROM r.io/root@${DIGEST}`);
    expect(build.context).toMatchObject({ path: expect.stringMatching(/\/sub$/) });
    expect((await left()).length).toBe(before + 1);
    await build.dispose();
    await build.dispose();
    expect((await left()).length).toBe(before);
  });

  it.each([
    ['https://h/x.tgz#:nosub', 'context-rejected: the build context has no directory `nosub`'],
    ['https://h/x.tgz#:D', 'context-rejected: the build context has no directory `D`'],
    ['https://h/x.tgz#:../..', 'context-rejected: the directory `../..` leads out of the build context'],
    ['-f ../../etc/passwd https://h/x.tgz', 'context-rejected: the file `../../etc/passwd` leads out of the build context'],
    ['https://h/x.tgz', 'dockerfile-missing: there is no Dockerfile at `Dockerfile`'],
  ])('refuses %s and leaves nothing behind', async (text, expected) => {
    const before = (await left()).length;
    expect(await failure(prepare(text, undefined, { parts: { fetcher } }))).toBe(expected);
    expect((await left()).length).toBe(before);
  });

  it('reads standard input: an archive, or a Dockerfile', async () => {
    const archive = await prepare('-', undefined, { parts: { fetcher, stdin: bytes('a') } });
    expect(archive.build).toMatchObject({ context: { kind: 'directory' }, dockerfile: { text: `FROM r.io/a@${DIGEST}` } });
    await archive.build.dispose();
    const dockerfile = await prepare('-', undefined, { parts: { fetcher, stdin: bytes('FROM r.io/b') } });
    expect(dockerfile.build).toMatchObject({ context: { kind: 'empty' }, dockerfile: { text: `FROM r.io/b@${DIGEST}` } });
    await dockerfile.build.dispose();
    const directory = await folder({ x: '' });
    const both = await prepare('-f - .', directory, { parts: { stdin: bytes('FROM r.io/c') } });
    expect(both.build).toMatchObject({ context: { path: directory }, dockerfile: { text: `FROM r.io/c@${DIGEST}` } });
  });

  it('lays out the layers of an artifact: archives unpacked, files under their titles', async () => {
    const layer = (title: string, mediaType = 'text/plain') => ({
      mediaType,
      digest: DIGEST,
      size: 1,
      annotations: { 'org.opencontainers.image.title': title },
    });
    const pull =
      (title: string): BuildInputsParts['registry']['pullArtifact'] =>
      async (_reference, onLayer) => {
        await onLayer(layer('ignored.tgz', 'application/vnd.oci.image.layer.v1.tar+gzip'), bytes('base'));
        await onLayer(layer(title), bytes('ignored'));
        return { digest: DIGEST, mediaType: '' };
      };
    const registry = (title: string) => ({ resolve: async () => undefined, pullArtifact: pull(title) });
    const { build } = await prepare('oci://r.io/src:1', undefined, { parts: { fetcher, registry: registry('a/.dockerignore') } });
    expect(build.dockerfile.text).toBe('FROM r.io/base');
    await build.dispose();
    expect(await failure(prepare('oci://r.io/src:1', undefined, { parts: { fetcher, registry: registry('../x') } }))).toBe(
      'context-rejected: the artifact names a file `../x` outside of its directory',
    );
    expect(await left()).toEqual([]);
  });

  it('bounds an artifact, and refuses one that names a file twice', async () => {
    const layers = (...sizes: readonly number[]): BuildInputsParts['registry'] => ({
      resolve: async () => undefined,
      pullArtifact: async (_reference, onLayer) => {
        for (const size of sizes) {
          const annotations = { 'org.opencontainers.image.title': 'Dockerfile' };
          await onLayer({ mediaType: 'text/plain', digest: DIGEST, size, annotations }, bytes('FROM scratch'));
        }
        return { digest: DIGEST, mediaType: '' };
      },
    });
    expect(await failure(prepare('oci://r.io/src:1', undefined, { parts: { registry: layers(12, 12) } }))).toBe(
      'context-rejected: the artifact names the file `Dockerfile` twice, or once as a directory',
    );
    expect(await failure(prepare('oci://r.io/src:1', undefined, { parts: { registry: layers(2 ** 45) } }))).toMatch(
      /^context-rejected: the artifact `r\.io\/src:1` has more than \d+ bytes$/,
    );
    expect(await left()).toEqual([]);
  });
});
