import { readFileSync, type Stats, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Diagnostic, SourceText } from '../../model/diagnostic.ts';
import { err, ok, type Result } from '../../util/result.ts';

const DEFAULT_FILES = ['task.yaml', 'acr-task.yaml', 'acb.yaml'];
/** Bytes; the loader refuses more, this keeps a wrong path from being read whole. Ten thousand plain steps are below it. */
const MOST_BYTES = 1024 * 1024;

/** A task file and the folder that is its context. */
export interface FoundFile {
  readonly path: string;
  /** As a person would write it. */
  readonly name: string;
}

/**
 * The task file of a run: `file` is looked for in the context first (as ACR does), then in the current directory;
 * without it one of the default names is taken from the context.
 */
export function findTaskFile(place: {
  readonly context: string | undefined;
  readonly contextName: string;
  readonly file: string | undefined;
  readonly directory: string;
}): Result<FoundFile, Diagnostic> {
  const { context, file, directory } = place;
  const inContext = (name: string): FoundFile[] =>
    context === undefined ? [] : [{ path: resolve(context, name), name: context === directory ? name : join(place.contextName, name) }];
  const candidates =
    file === undefined
      ? DEFAULT_FILES.flatMap(inContext)
      : uniquePaths([...inContext(file), { path: resolve(directory, file), name: file }]);
  // Only a file that was named may be a pipe (`-f <(generate)`): a default name stands for a file that somebody keeps.
  const fits = file === undefined ? isFile : isReadable;
  const found = candidates.find(({ path }) => fits(path));
  if (found !== undefined) return ok(found);
  return err({
    code: 'task-file-missing',
    severity: 'error',
    message:
      file === undefined && context !== undefined
        ? `there is no task file in ${place.contextName}`
        : `there is no task file ${file ?? ''}`.trimEnd(),
    expected: expectedFile(candidates.map(({ name }) => name)),
    help: '`--file FILE` names another one; `task init` writes one to start from; `--cmd "IMAGE ARGUMENTS"` runs without one',
  });
}

function expectedFile(looked: readonly string[]): string {
  if (looked.length === 0) return 'a task file, named with `--file`';
  return looked.length === 1 ? `a file at ${looked[0]}, relative to the context or the current directory` : `one of ${looked.join(', ')}`;
}

/** Reads a task file or a values file, at most MOST_BYTES of it. */
export async function readSource(found: FoundFile): Promise<Result<SourceText, Diagnostic>> {
  try {
    const stats = statusOf(found.path);
    if (stats?.isFile() === true) {
      if (stats.size > MOST_BYTES) return err(tooBig(`${found.name} has ${stats.size} bytes`));
      return ok({ name: found.name, text: readFileSync(found.path, 'utf8') });
    }
    // A pipe does not say its size, what it holds is counted as it comes; and it may keep its reader waiting.
    await using file = await open(found.path, 'r');
    return await readAll(file.createReadStream({ autoClose: false }), found.name);
  } catch (error) {
    return err(unreadable(found.name, error));
  }
}

/** Reads all of standard input, at most MOST_BYTES. */
export function readStdin(stdin: AsyncIterable<unknown>): Promise<Result<SourceText, Diagnostic>> {
  return readAll(stdin, '<stdin>', 'standard input');
}

async function readAll(stream: AsyncIterable<unknown>, name: string, what = name): Promise<Result<SourceText, Diagnostic>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > MOST_BYTES) return err(tooBig(`${what} is too long`));
    chunks.push(bytes);
  }
  return ok({ name, text: Buffer.concat(chunks).toString('utf8') });
}

function tooBig(message: string): Diagnostic {
  return { code: 'file-too-big', severity: 'error', message, expected: `at most ${MOST_BYTES} bytes` };
}

export function unreadable(name: string, error: unknown): Diagnostic {
  const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  const message =
    reason === 'ENOENT' ? `${name} does not exist` : reason === 'EISDIR' ? `${name} is a folder` : `${name} cannot be read (${reason})`;
  return { code: 'file-unreadable', severity: 'error', message };
}

export function isFile(path: string): boolean {
  return statusOf(path)?.isFile() ?? false;
}

function isReadable(path: string): boolean {
  return statusOf(path)?.isDirectory() === false;
}

export function isDirectory(path: string): boolean {
  return statusOf(path)?.isDirectory() ?? false;
}

/** Asked at once: a turn through Node's threads takes ten times as long, and a run asks some ten times before it begins. */
function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** The folder of a file. */
export function folderOf(path: string): string {
  return dirname(path);
}

function uniquePaths(files: readonly FoundFile[]): FoundFile[] {
  return files.filter((file, index) => files.findIndex((other) => other.path === file.path) === index);
}
