import { EngineError } from '../model/engine-error.ts';
import type { BuildContextRef } from '../model/plan.ts';
import type { ContextFetcher } from '../model/ports/context-fetcher.ts';
import type { GitSource } from '../model/ports/git-source.ts';
import type { Registry } from '../model/ports/registry.ts';
import type { TaskRecord } from '../model/task-definition.ts';
import { classifyContext, localRepository } from '../task/build/context.ts';
import { type BuildContext, type ContextParts, openBuildContext } from './build-context.ts';

export interface AnalysisContextParts {
  readonly git: GitSource;
  readonly fetcher: ContextFetcher;
  /** Reads `oci://` contexts with the task's credentials. */
  readonly registryOf: (record: TaskRecord) => Promise<Pick<Registry, 'pullArtifact'>>;
  /** The value of `step.contextAccessToken`. */
  readonly contextToken: (record: TaskRecord) => Promise<string | undefined>;
  readonly openUpload: (sha256: string) => Promise<AsyncIterable<Uint8Array>>;
  /** Repositories of this machine (`file://`) may be read. */
  readonly allowFileGit?: boolean;
}

const UPLOAD = /^upload:([0-9a-f]{64})$/;

/** The context of a task in a directory of its own, which `dispose` removes; and what its builds fetch theirs with. Rejects as openBuildContext. */
export async function openTaskContext(
  record: TaskRecord,
  parts: AnalysisContextParts,
  signal: AbortSignal,
): Promise<{ readonly context: BuildContext; readonly directory: string | undefined; readonly builds: ContextParts }> {
  const { contextPath = '' } = record.definition.step;
  const registry = await parts.registryOf(record);
  const builds: ContextParts = { git: parts.git, fetcher: parts.fetcher, registry };
  const upload = UPLOAD.exec(contextPath)?.[1];
  const ref: BuildContextRef = upload === undefined ? refOf(contextPath, parts) : { kind: 'stdin' };
  // The token proves to the host of the task's own context who asks, and to nobody whom its files name.
  const own = { ...builds, git: withToken(parts.git, await parts.contextToken(record)) };
  const stdin = upload === undefined ? {} : { stdin: await parts.openUpload(upload) };
  const context = await openBuildContext(
    { spec: { context: ref, workdir: '/workspace' }, workspace: { kind: 'directory', path: undefined }, signal, onNote: () => undefined },
    { ...own, ...stdin },
  );
  return { context, directory: context.context.kind === 'directory' ? context.context.path : undefined, builds };
}

function refOf(text: string, { allowFileGit = false }: AnalysisContextParts): BuildContextRef {
  if (text === '') return { kind: 'none' };
  const local = localRepository(text);
  if (local !== undefined && !allowFileGit)
    throw new EngineError('context-rejected', 'the context is a repository of the daemon’s own machine');
  const ref = local ?? classifyContext(text);
  if (ref.kind !== 'local' && ref.kind !== 'stdin') return ref;
  throw new EngineError('context-rejected', 'the context of a task cannot be a path of the daemon or its standard input');
}

function withToken(git: GitSource, token: string | undefined): ContextParts['git'] {
  if (token === undefined) return git;
  return {
    checkout: (request) => git.checkout({ ...request, token }),
    describe: (directory) => git.describe(directory),
    listRefs: (request) => git.listRefs(request),
    changes: (request) => git.changes(request),
  };
}
