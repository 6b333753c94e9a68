import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { EngineError } from '../model/engine-error.ts';
import type { BuildContextRef, BuildSpec } from '../model/plan.ts';
import type { BuildInputsRequest, PreparedBuild } from '../model/ports/build-inputs.ts';
import type { ContextFetcher } from '../model/ports/context-fetcher.ts';
import type { GitSource } from '../model/ports/git-source.ts';
import type { Registry } from '../model/ports/registry.ts';
import { dockerfilePath } from '../task/build/dockerfile-path.ts';
import { realPathBelow, resolveBelow } from '../util/confined-path.ts';
import { unpackArtifact } from './unpack-artifact.ts';

export interface ContextParts {
  readonly git: GitSource;
  readonly fetcher: ContextFetcher;
  readonly registry: Pick<Registry, 'pullArtifact'>;
  /** Standard input of the program, for the context `-` and for `-f -`; absent where there is none (a daemon). */
  readonly stdin?: AsyncIterable<Uint8Array>;
}

/** A context that can be read here or in the run's workspace. */
export interface BuildContext {
  readonly context: PreparedBuild['context'];
  /** Commit of a checkout; empty otherwise. Never rejects. */
  readonly gitHead: Promise<string>;
  /** The Dockerfile, where standard input held one and no archive. */
  readonly dockerfile?: string;
  /** Reads a file that `-f` names; without `-f` pass the empty text. The answer tells where it was looked for. */
  read(file: string): Promise<ContextFile>;
  /** Reads a file of the context. */
  readInside(file: string): Promise<string | undefined>;
  dispose(): Promise<void>;
}

export interface ContextFile {
  /** As a person would name it. */
  readonly name: string;
  readonly text: string | undefined;
}

type ContextRequest = Pick<BuildInputsRequest, 'workspace' | 'signal' | 'onNote'> & {
  readonly spec: Pick<BuildSpec, 'context' | 'workdir'>;
};

const WORKSPACE = '/workspace';
const LARGEST_FILE = 1024 * 1024;

/**
 * Makes a build's context readable. Fetched contexts land in a directory of their own that `dispose` removes; when this
 * rejects, nothing is left behind.
 */
export async function openBuildContext(request: ContextRequest, parts: ContextParts): Promise<BuildContext> {
  const { context } = request.spec;
  if (context.kind === 'local') return openLocal(context.path, request, parts);
  if (context.kind === 'none') return { ...emptyContext(), read: (file) => readLocal(file, request) };
  const directory = await mkdtemp(join(tmpdir(), 'slipway-context-'));
  const dispose = (): Promise<void> => rm(directory, { recursive: true, force: true }).catch(() => undefined);
  try {
    return { ...(await fetchInto(directory, context, request, parts)), dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function emptyContext(): BuildContext {
  const nothing = async (): Promise<undefined> => undefined;
  return {
    context: { kind: 'empty' },
    gitHead: Promise.resolve(''),
    read: async (name) => ({ name: name === '' ? 'Dockerfile' : name, text: undefined }),
    readInside: nothing,
    dispose: nothing,
  };
}

async function openLocal(path: string, request: ContextRequest, parts: ContextParts): Promise<BuildContext> {
  const place = inWorkspace(path, request.spec.workdir, 'the build context');
  const read = (file: string): Promise<ContextFile> =>
    readLocal(dockerfilePath({ fetched: false, contextDirectory: place, dockerfile: file }), request);
  const readInside = async (file: string): Promise<string | undefined> => (await readLocal(posix.join(place, file), request)).text;
  const common = { read, readInside, dispose: async (): Promise<void> => undefined };
  if (request.workspace.kind === 'workspace')
    return { ...common, context: { kind: 'workspace', path: place }, gitHead: Promise.resolve('') };
  const directory = await placeInSeed(request.workspace.path, place, 'the build context');
  if (!(await isDirectory(directory)))
    throw new EngineError('dockerfile-missing', `the build context \`${path}\` is no directory of the workspace`);
  const gitHead = parts.git.describe(directory).then(
    (head) => head?.commit ?? '',
    () => '',
  );
  return { ...common, context: { kind: 'directory', path: directory }, gitHead };
}

/** A path of a build as an absolute path of the workspace. */
function inWorkspace(path: string, workdir: string, what: string): string {
  const place = posix.resolve(workdir, path);
  if (place === WORKSPACE || place.startsWith(`${WORKSPACE}/`)) return place;
  throw new EngineError('context-rejected', `${what} \`${path}\` is outside of the workspace`, {
    help: `Name a path below \`${WORKSPACE}\`; the working directory of this step is \`${workdir}\`.`,
  });
}

async function placeInSeed(seed: string | undefined, place: string, what: string): Promise<string> {
  if (seed === undefined) {
    throw new EngineError('context-rejected', `${what} is a local path, and this run has no source directory`, {
      help: 'Give the run a context: `task run DIRECTORY`.',
    });
  }
  const real = await realPathBelow(seed, posix.relative(WORKSPACE, place));
  if (real !== undefined) return real;
  throw new EngineError(
    'context-rejected',
    `${what} \`${posix.relative(WORKSPACE, place)}\` leads out of the run's source directory through a symbolic link`,
  );
}

async function readLocal(file: string, request: ContextRequest): Promise<ContextFile> {
  const place = inWorkspace(file === '' ? 'Dockerfile' : file, request.spec.workdir, 'the file');
  const name = posix.relative(request.spec.workdir, place);
  if (request.workspace.kind === 'directory')
    return { name, text: await readText(await placeInSeed(request.workspace.path, place, 'the file'), name) };
  const bytes = await request.workspace.readFile(place);
  return { name, text: bytes === undefined ? undefined : decode(bytes, name) };
}

type Fetched = Exclude<BuildContextRef, { kind: 'local' } | { kind: 'none' }>;

async function fetchInto(directory: string, context: Fetched, request: ContextRequest, parts: ContextParts): Promise<BuildContext> {
  const { signal } = request;
  switch (context.kind) {
    case 'git': {
      const onProgress = (message: string): void => request.onNote('info', message);
      const { commit } = await parts.git.checkout({ url: context.url, ref: context.ref, directory, signal, onProgress });
      return openFetched(directory, context.subdir, commit);
    }
    case 'archive':
      await parts.fetcher.fetchArchive(context.url, directory, { signal });
      return openFetched(directory, context.subdir, '');
    case 'oci':
      await unpackArtifact(context.reference, directory, { ...parts, signal });
      return openFetched(directory, '', '');
    case 'stdin': {
      const unpacked = await parts.fetcher.unpackStream(stdinOf(parts, 'the build context'), directory, { signal });
      return unpacked.kind === 'archive' ? openFetched(directory, '', '') : { ...emptyContext(), dockerfile: unpacked.text };
    }
  }
}

async function openFetched(root: string, subdir: string, commit: string): Promise<BuildContext> {
  const directory = await resolveBelow(root, subdir);
  if (directory === undefined) throw new EngineError('context-rejected', `the directory \`${subdir}\` leads out of the build context`);
  if (!(await isDirectory(directory))) throw new EngineError('context-rejected', `the build context has no directory \`${subdir}\``);
  const contextDirectory = posix.relative(root, directory);
  const read = async (dockerfile: string): Promise<ContextFile> => {
    const name = dockerfile === '' ? 'Dockerfile' : dockerfile;
    const place = await resolveBelow(root, dockerfilePath({ fetched: true, contextDirectory, dockerfile }));
    if (place === undefined) throw new EngineError('context-rejected', `the file \`${name}\` leads out of the build context`);
    return { name, text: await readText(place, name) };
  };
  return {
    context: { kind: 'directory', path: directory },
    gitHead: Promise.resolve(commit),
    read,
    readInside: async (file) => (await read(file)).text,
    dispose: async () => undefined,
  };
}

/** The program's standard input; a second reader of one run would find it empty, so it is named in the error. */
export function stdinOf(parts: ContextParts, what: string): AsyncIterable<Uint8Array> {
  if (parts.stdin !== undefined) return parts.stdin;
  throw new EngineError('context-rejected', `${what} is to be read from standard input, and this run has none`, {
    help: 'Name a directory, an archive or a repository instead of `-`.',
  });
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
}

async function readText(path: string, name: string): Promise<string | undefined> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return undefined;
    // A pipe would be waited for without end, and no signal ends such a wait.
    if (!found.isFile()) throw new EngineError('context-rejected', `the file \`${name}\` of the build context is no regular file`);
    if (found.size > LARGEST_FILE) throw tooLarge(name);
    return decode(await readFile(path), name);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new EngineError('context-failed', `the file \`${name}\` of the build context cannot be read: ${code ?? 'unknown reason'}`, {
      cause: error,
    });
  }
}

function decode(bytes: Uint8Array, name: string): string {
  if (bytes.byteLength > LARGEST_FILE) throw tooLarge(name);
  // A BOM stays: the scan and the engine both know it.
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

function tooLarge(name: string): EngineError {
  return new EngineError('context-rejected', `the file \`${name}\` of the build context has more than ${LARGEST_FILE} bytes`);
}
