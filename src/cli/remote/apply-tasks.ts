import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ApplyResult } from '../../api/task-schema.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { isDiagnosticCode } from '../../model/diagnostic-codes.ts';
import { EngineError } from '../../model/engine-error.ts';
import { namesTwice, readTaskDocuments, type TaskDocument } from '../../service/tasks/task-documents.ts';
import { err } from '../../util/result.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { isDirectory, readSource, readStdin } from '../source/find-task-file.ts';
import { type ListFormat, printValue } from '../tables/print-value.ts';
import { printable } from '../terminal/terminal-filter.ts';
import { textTable } from '../terminal/text-table.ts';
import type { DaemonClient } from './client.ts';
import type { ServerFlags } from './find-server.ts';
import { FlagError, missingFlag } from './flag-error.ts';
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

const TASK_FILES = /\.(ya?ml|json)$/i;

/** `task apply`: makes tasks what files say. Without an error in any, or not at all. */
export function applyTasks(flags: ApplyFlags, io: Io): Promise<ExitCode> {
  return withDaemon(flags, io, async (client) => {
    if (flags.prune && flags.owner === undefined) {
      throw missingFlag(
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

async function apply(client: DaemonClient, flags: ApplyFlags, declared: readonly TaskDocument[]) {
  try {
    return await client.call<ApplyResult>({
      method: 'POST',
      path: '/apply',
      body: {
        tasks: declared.map(({ input }) => input),
        dryRun: flags.dryRun,
        force: flags.force,
        prune: flags.prune,
        ...(flags.owner === undefined ? {} : { managedBy: flags.owner }),
      },
      idempotencyKey: flags.idempotencyKey ?? randomUUID(),
    });
  } catch (error) {
    const placed = error instanceof DaemonProblem ? inFiles(error, declared) : [];
    throw placed.length > 0 ? new FlagError(placed) : error;
  }
}

/** What the daemon finds wrong, shown where it stands: `tasks[2].timeout` of the request is `timeout` of some file. Empty unless all of it stands in one. */
function inFiles(problem: DaemonProblem, declared: readonly TaskDocument[]): readonly Diagnostic[] {
  const placed = problem.mistakes.map((mistake): Diagnostic | undefined => {
    const [, index, field = ''] = /^(?:body\.)?tasks\[(\d+)\]\.?(.*)$/.exec(mistake.field ?? '') ?? [];
    const range = index === undefined ? undefined : declared[Number(index)]?.placeOf?.(field);
    if (range === undefined) return undefined;
    const { severity, message, expected, help, code } = mistake;
    return {
      ...{ code: isDiagnosticCode(code) ? code : 'task-field', severity, message, range },
      ...(expected === undefined ? {} : { expected }),
      ...(help === undefined ? {} : { help }),
    };
  });
  return placed.every((diagnostic) => diagnostic !== undefined) ? placed : [];
}

/** Every mistake of every file is reported. */
async function readDeclared(paths: readonly string[], io: Io): Promise<readonly TaskDocument[]> {
  if (paths.length === 0) throw missingFlag('`--file` is missing', 'name a file or a folder of task definitions: `task apply -f tasks/`');
  const files = (await Promise.all(paths.map((path) => filesOf(path, io)))).flat();
  const problems: Diagnostic[] = [];
  const declared: TaskDocument[] = [];
  for (const file of files) {
    const source = file === '-' ? await readStdin(io.stdin) : await readSource({ path: resolve(io.directory, file), name: file });
    const read = source.ok ? readTaskDocuments(source.value) : err([source.error]);
    if (read.ok) declared.push(...read.value);
    else problems.push(...read.error);
  }
  if (files.length > 1) problems.push(...namesTwice(declared));
  if (problems.length > 0) throw new FlagError(problems);
  if (declared.length === 0)
    throw new EngineError('not-found', `there is no task in ${paths.join(', ')}`, {
      help: 'A document with `name` and `step` defines one; of a folder only `.yaml`, `.yml` and `.json` are read.',
    });
  return declared;
}

async function filesOf(path: string, io: Io): Promise<readonly string[]> {
  const absolute = resolve(io.directory, path);
  if (path === '-' || !isDirectory(absolute)) return [path];
  const names = (await readdir(absolute)).filter((name) => TASK_FILES.test(name) && !name.startsWith('.')).sort();
  return names.map((name) => join(path, name));
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
