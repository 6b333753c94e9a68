import type { Diagnostic } from '../../model/diagnostic.ts';
import { EngineError } from '../../model/engine-error.ts';
import type { Principal } from '../../model/security.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import { refusalOf } from './field-problem.ts';
import type { ChangeOptions } from './task-change.ts';
import { namesTwice, type TaskDocument } from './task-documents.ts';
import type { TaskService } from './task-service.ts';

/** Beginning of the owners that are files of the daemon's folder of tasks. */
export const FOLDER_OWNER = 'folder:';

export interface ApplyOptions {
  /** Says what would be done and does nothing. */
  readonly dryRun?: boolean;
  /** What owns the tasks from then on, for people: a file or a repository. Without it nobody does. */
  readonly source?: string;
  /** Deletes tasks that `source` owned and that are no longer there. */
  readonly prune?: boolean;
  /** Takes tasks over from other owners. */
  readonly force?: boolean;
  /** See ChangeOptions. */
  readonly takesFrom?: string;
}

export interface AppliedTask {
  readonly name: string;
  readonly action: 'created' | 'updated' | 'unchanged' | 'deleted';
  /** Paths of the fields that change. */
  readonly changes: readonly string[];
  readonly warnings: readonly Diagnostic[];
}

export interface ApplyResult {
  readonly dryRun: boolean;
  readonly tasks: readonly AppliedTask[];
}

/**
 * Makes the tasks what the documents say. Everything is checked before anything is done, and every mistake of all documents is reported
 * with its place: EngineError `invalid-request` with diagnostics; `forbidden` and `managed-by-file` come alone. Applying the same again
 * changes nothing, so that one that was interrupted is finished by repeating it.
 */
export async function applyTasks(
  tasks: TaskService,
  principal: Principal,
  documents: readonly TaskDocument[],
  options: ApplyOptions = {},
): Promise<ApplyResult> {
  if (options.source?.startsWith(FOLDER_OWNER) === true && principal.from !== 'daemon') {
    throw new EngineError('invalid-request', `an owner cannot begin with \`${FOLDER_OWNER}\`: that is the folder of tasks of the daemon`);
  }
  const change = changeOptions(options);
  const planned = await planAll(tasks, principal, documents, change);
  const gone = options.prune === true && options.source !== undefined ? await leftBehind(tasks, principal, documents, options.source) : [];
  if (options.dryRun === true) return { dryRun: true, tasks: [...planned, ...gone.map(deleted)] };
  const applied: AppliedTask[] = [];
  for (const { input } of documents) {
    const { action, changes, warnings } = await tasks.replace(principal, input, change);
    applied.push({ name: input.name, action, changes, warnings });
  }
  for (const record of gone) {
    await tasks.delete(principal, record.definition.name, { ...change, version: record.version });
    applied.push(deleted(record));
  }
  return { dryRun: false, tasks: applied };
}

function changeOptions({ source, force, takesFrom }: ApplyOptions): ChangeOptions {
  return {
    ...(source === undefined ? {} : { managedBy: source }),
    ...(force === undefined ? {} : { force }),
    ...(takesFrom === undefined ? {} : { takesFrom }),
  };
}

async function planAll(
  tasks: TaskService,
  principal: Principal,
  documents: readonly TaskDocument[],
  change: ChangeOptions,
): Promise<readonly AppliedTask[]> {
  const problems: Diagnostic[] = [...namesTwice(documents)];
  const planned: AppliedTask[] = [];
  for (const [index, document] of documents.entries()) {
    try {
      const { action, changes, warnings } = await tasks.plan(principal, document.input, change);
      planned.push({ name: document.input.name, action, changes, warnings });
    } catch (error) {
      if (!(error instanceof EngineError) || error.diagnostics.length === 0) throw error;
      problems.push(...error.diagnostics.map((diagnostic) => placed(diagnostic, document, index)));
    }
  }
  if (problems.length > 0) throw refusalOf(problems);
  return planned;
}

/** With its place in the file; without one, with the task's name before it and its number in the field, as `tasks[0].timeout`. */
function placed(diagnostic: Diagnostic, { input, placeOf }: TaskDocument, index: number): Diagnostic {
  const { range, field, message } = diagnostic;
  if (placeOf === undefined) {
    const numbered = field === undefined ? `tasks[${index}]` : `tasks[${index}].${field}`;
    return { ...diagnostic, message: `task ${JSON.stringify(input.name)}: ${message}`, field: numbered };
  }
  const place = range ?? placeOf(field ?? '');
  return place === undefined ? diagnostic : { ...diagnostic, range: place };
}

async function leftBehind(
  tasks: TaskService,
  principal: Principal,
  documents: readonly TaskDocument[],
  source: string,
): Promise<readonly TaskRecord[]> {
  const names = new Set(documents.map(({ input }) => input.name));
  return (await allTasks(tasks, principal)).filter(({ definition, managedBy }) => managedBy === source && !names.has(definition.name));
}

const PAGE = 500;

/** Every task that the principal may see. */
export async function allTasks(tasks: TaskService, principal: Principal): Promise<readonly TaskRecord[]> {
  const found: TaskRecord[] = [];
  for (;;) {
    const after = found.at(-1)?.definition.name;
    const page = await tasks.list(principal, { limit: PAGE, ...(after === undefined ? {} : { after }) });
    found.push(...page);
    if (page.length < PAGE) return found;
  }
}

function deleted({ definition }: TaskRecord): AppliedTask {
  return { name: definition.name, action: 'deleted', changes: [], warnings: [] };
}
