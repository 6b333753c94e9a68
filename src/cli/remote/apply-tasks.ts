import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ApplyResult } from '../../api/task-schema.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { isDirectory, readSource, readStdin } from '../source/find-task-file.ts';
import { type ListFormat, printValue } from '../tables/print-value.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { textTable } from '../terminal/text-table.ts';
import type { DaemonClient } from './client.ts';
import type { ServerFlags } from './find-server.ts';
import { conflict, FlagError } from './flag-error.ts';
import { DaemonProblem } from './problem.ts';
import { mistakeText, withDaemon } from './with-daemon.ts';

export interface ApplyFlags extends ServerFlags {
  readonly file: readonly string[];
  readonly dryRun: boolean;
  readonly prune: boolean;
  readonly owner?: string;
  readonly force: boolean;
  readonly output: ListFormat;
  readonly idempotencyKey?: string;
}

interface DeclaredTask {
  readonly document: unknown;
  readonly file: string;
}

const TASK_FILES = /\.(ya?ml|json)$/i;

/** `task apply`: makes tasks what files say. Without an error in any, or not at all. */
export function applyTasks(flags: ApplyFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    if (flags.prune && flags.owner === undefined) {
      throw conflict(
        '`--prune` needs an `--owner`',
        'it deletes the tasks that this owner has and the files have no more: `--owner builds-repo --prune`',
      );
    }
    const declared = await readDeclared(flags.file, io);
    const { value } = await apply(client, flags, declared);
    for (const { name, warnings } of value.tasks)
      for (const warning of warnings) io.stderr.write(mistakeText({ ...warning, source: name }, io));
    await printValue(io, flags.output, value, () => changesText(value.tasks, flags.dryRun, io));
    return EXIT.ok;
  });
}

async function apply(client: DaemonClient, flags: ApplyFlags, declared: readonly DeclaredTask[]) {
  try {
    return await client.call<ApplyResult>({
      method: 'POST',
      path: '/apply',
      body: {
        tasks: declared.map(({ document }) => document),
        dryRun: flags.dryRun,
        force: flags.force,
        prune: flags.prune,
        ...(flags.owner === undefined ? {} : { managedBy: flags.owner }),
      },
      idempotencyKey: flags.idempotencyKey ?? randomUUID(),
    });
  } catch (error) {
    throw error instanceof DaemonProblem ? namingFiles(error, declared) : error;
  }
}

/** `tasks[2].timeout` of the request is `timeout` of some file. */
function namingFiles(problem: DaemonProblem, declared: readonly DeclaredTask[]): DaemonProblem {
  const mistakes = problem.mistakes.map((mistake) => {
    const [, index, field] =
      /^(?:body\.)?tasks(?:\[(\d+)\]|\.(\d+))\.?(.*)$/.exec(mistake.field ?? '')?.filter((part) => part !== undefined) ?? [];
    const file = index === undefined ? undefined : declared[Number(index)]?.file;
    if (file === undefined) return mistake;
    return { ...mistake, field: `${file}${field === undefined || field === '' ? '' : `: ${field}`}` };
  });
  return new DaemonProblem(problem.status, problem.code, problem.message, { help: problem.help, mistakes });
}

async function readDeclared(paths: readonly string[], io: Io): Promise<readonly DeclaredTask[]> {
  if (paths.length === 0) throw conflict('`--file` is missing', 'name a file or a folder of task definitions: `task apply -f tasks/`');
  const files = (await Promise.all(paths.map((path) => filesOf(path, io)))).flat();
  const problems: Diagnostic[] = [];
  const declared: DeclaredTask[] = [];
  for (const file of files) {
    const read = await readDocuments(file, io);
    if (Array.isArray(read)) declared.push(...read);
    else problems.push(read as Diagnostic);
  }
  if (problems.length > 0) throw new FlagError(problems);
  if (declared.length === 0) throw conflict(`there is no task in ${paths.join(', ')}`);
  return declared;
}

async function filesOf(path: string, io: Io): Promise<readonly string[]> {
  const absolute = resolve(io.directory, path);
  if (path === '-' || !(await isDirectory(absolute))) return [path];
  const names = (await readdir(absolute)).filter((name) => TASK_FILES.test(name) && !name.startsWith('.')).sort();
  return names.map((name) => join(path, name));
}

/** The documents of a YAML or JSON file: each a task, or a list of tasks. */
async function readDocuments(file: string, io: Io): Promise<readonly DeclaredTask[] | Diagnostic> {
  const read = file === '-' ? await readStdin(io.stdin) : await readSource({ path: resolve(io.directory, file), name: file });
  if (!read.ok) return read.error;
  const { loadAll, YAMLException } = await import('js-yaml');
  try {
    const documents = loadAll(read.value.text) as readonly unknown[];
    return documents
      .flatMap((document) => (Array.isArray(document) ? (document as readonly unknown[]) : [document]))
      .filter((document) => document !== null && document !== undefined)
      .map((document) => ({ document, file: read.value.name }));
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { mark, reason } = error;
    const { name } = read.value;
    const place = mark == null ? name : `${name}:${mark.line + 1}:${mark.column + 1}`;
    return { code: 'yaml-syntax', severity: 'error', message: `${place}: ${reason}` };
  }
}

function changesText(changes: ApplyResult['tasks'], dryRun: boolean, io: Io): string {
  const rows = changes.map(({ name, action, changes: fields }) => [
    printable(name),
    io.paint(
      action === 'unchanged' ? 'dim' : action === 'deleted' ? 'red' : 'green',
      dryRun && action !== 'unchanged' ? `would be ${action}` : action,
    ),
    printable(fields.join(', ')),
  ]);
  return `${textTable(rows).join('\n')}\n`;
}
