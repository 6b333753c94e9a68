import { stat } from 'node:fs/promises';
import { EngineError } from '../model/engine-error.ts';
import type { BuildContextRef } from '../model/plan.ts';
import type { RunRecord } from '../model/run-record.ts';
import { classifyContext, localRepository } from '../task/build/context.ts';
import { resolveBelow } from '../util/confined-path.ts';
import type { ActiveRun } from './active-run.ts';
import type { AgentDependencies, RunParts } from './agent-options.ts';
import { ContextPlace } from './context-place.ts';

const UPLOAD = /^upload:([0-9a-f]{64})$/;

/** The context of a run on this machine. */
export interface OpenedContext {
  /** Undefined for a run without one. */
  readonly directory: string | undefined;
  /** Where the task file and its values are read: of a forked pull request what its base has, else `directory`. */
  readonly taskDirectory: string | undefined;
  readonly source: NonNullable<RunRecord['source']>;
}

interface OpenOptions {
  readonly token: string | undefined;
  readonly parts: RunParts;
  readonly signal: AbortSignal;
  onNote(message: string): void;
}

interface Fetching {
  readonly run: ActiveRun;
  readonly deps: AgentDependencies;
  readonly options: OpenOptions;
}

/**
 * Fetches what the request names: a git tree at the exact commit, an archive, an artifact or an uploaded context. A run that is resumed uses
 * what its earlier attempt fetched. Rejects with EngineError `context-failed` or `context-rejected`.
 */
export async function openContext(run: ActiveRun, deps: AgentDependencies, options: OpenOptions): Promise<OpenedContext> {
  const context = await openOwn(run, deps, options);
  const { taskFileContext } = run.assignment.request;
  return {
    ...context,
    taskDirectory: taskFileContext === undefined ? context.directory : await openTask(taskFileContext, run, deps, options),
  };
}

async function openOwn(run: ActiveRun, deps: AgentDependencies, options: OpenOptions): Promise<Omit<OpenedContext, 'taskDirectory'>> {
  const { request, resume } = run.assignment;
  const { contextPath } = request.step;
  if (contextPath === undefined || contextPath === '' || contextPath === '/dev/null') return { directory: undefined, source: {} };
  const place = new ContextPlace(deps.workDirectory, run.lease.run);
  const upload = UPLOAD.exec(contextPath)?.[1];
  const ref = upload === undefined ? contextOf(contextPath, deps) : undefined;
  const subdir = ref?.kind === 'git' || ref?.kind === 'archive' ? ref.subdir : '';
  if (resume !== undefined && (await place.isThere())) return { directory: await below(place.directory, subdir), source: resume.source };
  const source = await place.fill((directory) =>
    ref === undefined ? fetchUpload(upload ?? '', directory, { run, deps, options }) : fetchRef(ref, directory, { run, deps, options }),
  );
  return { directory: await below(place.directory, subdir), source: resume?.source ?? source };
}

/** The git context that a run's task file is read from, at its commit: what a pull request says of its own checks does not count. */
async function openTask(text: string, run: ActiveRun, deps: AgentDependencies, options: OpenOptions): Promise<string> {
  const place = new ContextPlace(deps.workDirectory, run.lease.run, 'task');
  const ref = contextOf(text, deps);
  if (ref.kind !== 'git') throw new EngineError('context-rejected', 'the context of the task file is no git repository');
  const { token, signal, onNote } = options;
  if (!(await place.isThere())) {
    await place.fill((directory) =>
      deps.git.checkout({
        ...{ url: ref.url, ref: ref.ref, directory, signal, onProgress: onNote },
        ...(token === undefined ? {} : { token }),
      }),
    );
  }
  return below(place.directory, ref.subdir);
}

/** Repositories of this machine are contexts only where its admin says so. */
function contextOf(text: string, { allowFileGit = false }: AgentDependencies): BuildContextRef {
  const local = localRepository(text);
  if (local !== undefined && !allowFileGit) {
    throw new EngineError('context-rejected', 'the context is a repository of the daemon’s own machine', {
      help: 'The setting `allowFileGit` of the daemon allows them.',
    });
  }
  return local ?? classifyContext(text);
}

async function fetchUpload(
  sha256: string,
  directory: string,
  { run, deps, options: { signal } }: Fetching,
): Promise<OpenedContext['source']> {
  const content = await deps.channel.openUpload(run.lease, sha256);
  const unpacked = await deps.contexts.unpackStream(content, directory, { signal, name: 'the uploaded context' });
  if (unpacked.kind !== 'archive') throw new EngineError('context-rejected', 'the uploaded context is no tar archive');
  return {};
}

async function fetchRef(ref: BuildContextRef, directory: string, { run, deps, options }: Fetching): Promise<OpenedContext['source']> {
  const { signal } = options;
  switch (ref.kind) {
    case 'git':
      return fetchGit(ref, directory, { run, deps, options });
    case 'archive':
      await deps.contexts.fetchArchive(ref.url, directory, { signal });
      return {};
    case 'oci':
      await options.parts.unpackArtifact(ref.reference, directory, { signal });
      return {};
    default:
      throw new EngineError('context-rejected', 'the context of a run on a daemon cannot be a path of the daemon or its standard input', {
        help: 'Name a git or archive URL, `oci://…`, or send a folder with `task run --server`.',
      });
  }
}

async function fetchGit(
  ref: Extract<BuildContextRef, { readonly kind: 'git' }>,
  directory: string,
  { run, deps, options }: Fetching,
): Promise<OpenedContext['source']> {
  const { request, resume } = run.assignment;
  const { token, signal, onNote } = options;
  // The branch may have moved on since the run was asked for, or since its earlier attempt.
  const pinned = request.pinnedCommit ?? resume?.source.commit;
  const checkout = await deps.git.checkout({
    ...{ url: ref.url, ref: pinned ?? ref.ref, directory, signal, onProgress: onNote },
    ...(request.pinnedRef === undefined ? {} : { throughRef: request.pinnedRef }),
    ...(token === undefined ? {} : { token, ownTreeOnly: request.trust === 'untrusted' }),
  });
  if (pinned !== undefined && !checkout.commit.startsWith(pinned.toLowerCase())) {
    throw new EngineError('context-failed', `the context is at the commit ${checkout.commit}, and this run is for ${pinned}`);
  }
  const { variables } = request;
  const branch = checkout.branch === '' ? (variables.Branch ?? '') : checkout.branch;
  return { commit: checkout.commit, repository: withoutCredentials(ref.url), ...(branch === '' ? {} : { branch }) };
}

function withoutCredentials(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/@]*@/i, '$1');
}

async function below(root: string, subdir: string): Promise<string> {
  if (subdir === '') return root;
  const directory = await resolveBelow(root, subdir);
  const found = directory === undefined ? undefined : await stat(directory).catch(() => undefined);
  if (directory === undefined || found?.isDirectory() !== true) {
    throw new EngineError('context-rejected', `the context has no directory \`${subdir}\``);
  }
  return directory;
}
