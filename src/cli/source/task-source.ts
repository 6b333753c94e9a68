import { relative, resolve } from 'node:path';
import type { Diagnostic, SourceText } from '../../model/diagnostic.ts';
import type { BuildContextRef } from '../../model/plan.ts';
import { classifyContext } from '../../task/build/context.ts';
import { err, ok, type Result } from '../../util/result.ts';
import type { CredentialFlags } from '../composition/credentials.ts';
import type { RegistryTrust } from '../composition/registry-trust.ts';
import type { Io } from '../io.ts';
import { cmdTask } from './cmd-task.ts';
import { findTaskFile, folderOf, isDirectory, isFile, readSource, readStdin } from './find-task-file.ts';

/** A task's text and where it lives. */
export interface TaskSource {
  readonly source: SourceText;
  /** The context on this machine: seed of the workspace, start of relative paths. Undefined for /dev/null. */
  readonly context: string | undefined;
  /** Path of the task file, when it is one of this machine. */
  readonly file: string | undefined;
  /** Commit and branch of a context that was fetched with git. */
  readonly git: { readonly commit: string; readonly branch: string } | undefined;
  /** Removes what was fetched. */
  dispose(): Promise<void>;
}

interface SourceRequest {
  /** CONTEXT as given; undefined when there was none. */
  readonly context: string | undefined;
  readonly file?: string;
  readonly cmd?: string;
  readonly flags: CredentialFlags;
  readonly trust: RegistryTrust;
  readonly signal: AbortSignal;
}

/** Finds and reads the task of a command: from the context, `-f`, standard input or `--cmd`. */
export async function openTaskSource(request: SourceRequest, io: Io): Promise<Result<TaskSource, readonly Diagnostic[]>> {
  if (request.cmd !== undefined && request.file !== undefined) {
    return err([{ code: 'flags-conflict', severity: 'error', message: '`--cmd` and `--file` exclude each other' }]);
  }
  const given = request.context ?? '.';
  const asFile = resolve(io.directory, given);
  if (request.file === undefined && request.cmd === undefined && isFile(asFile)) {
    return readTask(
      request,
      { directory: folderOf(asFile), name: relative(io.directory, folderOf(asFile)) || '.', file: asFile, fileName: given },
      io,
    );
  }
  const ref = classifyContext(given);
  if (ref.kind === 'none') return readTask(request, { directory: undefined, name: given }, io);
  if (ref.kind !== 'local') return openRemote(request, given, ref, io);
  if (!isDirectory(asFile)) {
    return err([contextMissing(given, 'a folder, a git or archive URL, oci://…, or /dev/null')]);
  }
  return readTask(request, { directory: asFile, name: given }, io);
}

export function contextMissing(given: string, expected: string): Diagnostic {
  return { code: 'context-missing', severity: 'error', message: `there is no folder ${given}`, expected };
}

async function openRemote(
  request: SourceRequest,
  given: string,
  ref: Exclude<BuildContextRef, { readonly kind: 'local' | 'none' }>,
  io: Io,
): Promise<Result<TaskSource, readonly Diagnostic[]>> {
  if (ref.kind === 'stdin') {
    return err([
      {
        code: 'context-unsupported',
        severity: 'error',
        message: 'a run cannot take its context from standard input',
        help: '`--file - /dev/null` reads the task file from standard input; `task build -` reads a build context from it',
      },
    ]);
  }
  const { fetchContext } = await import('./remote-context.ts');
  const fetched = await fetchContext(ref, request, io);
  if (!fetched.ok) return fetched;
  const { directory, git, dispose } = fetched.value;
  const read = await readTask(request, { directory, name: given }, io);
  if (read.ok) return ok({ ...read.value, git, dispose });
  await dispose();
  return read;
}

async function readTask(
  request: SourceRequest,
  place: { readonly directory: string | undefined; readonly name: string; readonly file?: string; readonly fileName?: string },
  io: Io,
): Promise<Result<TaskSource, readonly Diagnostic[]>> {
  const rest = { context: place.directory, git: undefined, dispose: () => Promise.resolve() };
  if (request.cmd !== undefined) return ok({ ...rest, source: cmdTask(request.cmd), file: undefined });
  if (request.file === '-') {
    const text = await readStdin(io.stdin);
    return text.ok ? ok({ ...rest, source: text.value, file: undefined }) : err([text.error]);
  }
  const found =
    place.file === undefined
      ? findTaskFile({ context: place.directory, contextName: place.name, file: request.file, directory: io.directory })
      : ok({ path: place.file, name: place.fileName ?? place.file });
  if (!found.ok) return err([found.error]);
  const text = await readSource(found.value);
  return text.ok ? ok({ ...rest, source: text.value, file: found.value.path }) : err([text.error]);
}
