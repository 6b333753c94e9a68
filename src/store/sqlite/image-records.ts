import { parseImageReference } from '../../model/image-reference.ts';
import type { RunOutcome } from '../../model/ports/store.ts';
import { runIdOf } from '../../model/run-id.ts';
import type { RunRequest } from '../../model/run-record.ts';
import type { TaskDefinition, TaskStepDefinition } from '../../model/task-definition.ts';
import type { ImageTag } from '../../model/trigger-event.ts';
import { imageRowsOf } from '../image-rows.ts';
import type { DependencyRow } from '../image-watch-rows.ts';
import type { RunRow } from '../run-rows.ts';
import type { Database } from './database.ts';
import { byRole, createImageRowStatements } from './image-dependency-store.ts';

/** What the end of a run tells of its task: from what it builds, and what it pushes. To be called within `database.write`. */
export interface ImageRecords {
  record(run: Pick<RunRow, 'number' | 'task' | 'created'>, request: RunRequest, outcome: RunOutcome, now: string): void;
}

export function createImageRecords(database: Database): ImageRecords {
  const statements = createStatements(database);
  return {
    record({ number, task, created }, request, outcome, now) {
      const row = statements.task.get({ name: task });
      if (row === undefined || row.created > created || !speaksForTask(request, JSON.parse(row.definition))) return;
      const common = { task_id: row.id, task, run: runIdOf(number) };
      const rows = dependencyRows(request, outcome).map((each) => ({ ...common, ...each, resolved: now }));
      const succeeded = outcome.status === 'Succeeded';
      if (succeeded) statements.dropRecorded.run({ task_id: row.id });
      else if (rows.length > 0) statements.dropAttempted.run({ task_id: row.id });
      for (const each of rows) statements.putDependency.run(each);
      const outputs = succeeded ? outputsOf(common.run, outcome) : [];
      if (outputs.length > 0) statements.dropPushed.run({ task_id: row.id });
      for (const image of outputs) statements.putOutput.run({ ...common, ...image, state: 'pushed' });
    },
  };
}

/**
 * Whether a run shows what its task is: of trusted code, no pull request, with the files and the context that the task names. A trigger may
 * have put the commit of its event, and the URL of the same repository that it names, in the place of the context.
 */
function speaksForTask({ trust, step, causes }: RunRequest, definition: TaskDefinition): boolean {
  if (trust !== 'trusted') return false;
  if (causes.some((cause) => cause.kind === 'source' && cause.event === 'pullrequest')) return false;
  const byTrigger = causes.some(({ kind }) => kind !== 'manual' && kind !== 'rerun');
  const sameContext = byTrigger || contextOf(step) === contextOf(definition.step);
  return sameContext && filesOf(step) === filesOf(definition.step);
}

/** Without branch, commit and directory. */
function contextOf({ contextPath = '' }: TaskStepDefinition): string {
  return contextPath.replace(/#.*$/s, '');
}

function filesOf(step: TaskStepDefinition): string {
  switch (step.type) {
    case 'Docker':
      return JSON.stringify([step.type, step.dockerFilePath, step.target]);
    case 'FileTask':
      return JSON.stringify([step.type, step.taskFilePath]);
    case 'EncodedTask':
      return JSON.stringify([step.type, step.encodedTaskContent]);
  }
}

type BuildRow = Omit<DependencyRow, 'task_id' | 'task' | 'run' | 'resolved'>;

/** Of a run that succeeded what it built from, but for steps that failed and were ignored; of others what they tried. */
function dependencyRows({ baseImages: chosen = [] }: RunRequest, { status, baseImages, steps }: RunOutcome): readonly BuildRow[] {
  const failed = new Set(steps.filter((step) => step.status !== 'succeeded').map(({ id }) => id));
  return [...baseImages].sort(byRole).flatMap(({ step, reference, platform, indexDigest, platformDigest, role, source }) => {
    // What a pattern of the task chose is built on in the place of what is written.
    const choice = chosen.find(({ reference: written, use }) => written === reference || use === reference);
    const written = choice?.reference ?? reference;
    const image = source === 'registry' ? followedTag(written, choice?.use ?? reference) : undefined;
    if (image === undefined) return [];
    const state = status === 'Succeeded' && !failed.has(step) ? 'built' : 'attempted';
    return [{ step, platform, written, state, ...image, role, index_digest: indexDigest, platform_digest: platformDigest }];
  });
}

/** Undefined for what is no reference, and for what is pinned to a digest where it is written. */
function followedTag(written: string, used: string): ImageTag | undefined {
  const [pinned, parsed] = [parseImageReference(written), parseImageReference(used)];
  if (!parsed.ok || !pinned.ok || pinned.value.digest !== '') return undefined;
  const { host, repository, tag } = parsed.value;
  return { registry: host, repository, tag: tag === '' ? 'latest' : tag };
}

/** A tag that has the run's own id in it is another each time. */
function outputsOf(run: string, { images }: RunOutcome): readonly ImageTag[] {
  return imageRowsOf(images)
    .filter(({ tag }) => tag !== '')
    .map(({ host, repository, tag }) => ({ registry: host, repository, tag: tag.includes(run) ? '' : tag }));
}

interface TaskId {
  readonly task_id: string;
}

function createStatements(database: Database) {
  const { queries, prepared } = database;
  return {
    ...createImageRowStatements(database),
    task: prepared<{ name: string }>()((param) =>
      queries.selectFrom('tasks').select(['id', 'created', 'definition']).where('name', '=', param('name')),
    ),
    dropRecorded: prepared<TaskId>()((param) =>
      queries.deleteFrom('image_dependencies').where('task_id', '=', param('task_id')).where('state', '<>', 'static'),
    ),
    dropAttempted: prepared<TaskId>()((param) =>
      queries.deleteFrom('image_dependencies').where('task_id', '=', param('task_id')).where('state', '=', 'attempted'),
    ),
    dropPushed: prepared<TaskId>()((param) =>
      queries.deleteFrom('image_outputs').where('task_id', '=', param('task_id')).where('state', '=', 'pushed'),
    ),
  };
}
