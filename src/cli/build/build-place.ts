import { relative, resolve, sep } from 'node:path';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { classifyContext } from '../../task/build/context.ts';
import { isDirectory } from '../source/find-task-file.ts';
import { contextMissing } from '../source/task-source.ts';

/** Where the context and the Dockerfile of a single build stand, seen from one folder that holds both. */
export interface BuildPlace {
  /** Folder that stands for the workspace; undefined when nothing of this machine is read. */
  readonly root: string | undefined;
  /** The context as a `build` has it, relative to `root`. */
  readonly context: string;
  readonly dockerfile: string | undefined;
}

/**
 * A local context and its Dockerfile are both named from the current directory and may lie anywhere: the workspace of the
 * build is the deepest folder above both. What is remote stays as it is.
 */
export function placeBuild(context: string, file: string | undefined, directory: string): BuildPlace {
  const kind = classifyContext(context).kind;
  const local = kind === 'local';
  const contextPath = local ? resolve(directory, context) : undefined;
  const filePath =
    file === undefined || file === '-' || (!local && kind !== 'stdin' && kind !== 'none') ? undefined : resolve(directory, file);
  const folders = [contextPath, filePath === undefined ? undefined : resolve(filePath, '..')].filter((path) => path !== undefined);
  const root = folders.length === 0 ? undefined : folders.reduce(commonFolder);
  return {
    root,
    context: contextPath === undefined || root === undefined ? context : relative(root, contextPath) || '.',
    dockerfile: filePath === undefined || root === undefined ? file : relative(root, filePath),
  };
}

/** What keeps a build of a local context from being begun: the folder is not there. */
export async function contextProblems(context: string, directory: string): Promise<readonly Diagnostic[]> {
  if (classifyContext(context).kind !== 'local' || isDirectory(resolve(directory, context))) return [];
  return [contextMissing(context, 'a folder, a git or archive URL, oci://…, `-` or /dev/null')];
}

function commonFolder(a: string, b: string): string {
  const left = a.split(sep);
  const right = b.split(sep);
  let same = 0;
  while (same < left.length && left[same] === right[same]) same += 1;
  return left.slice(0, same).join(sep) || sep;
}
