import { type Compilable, type RawBuilder, type Selectable, type SqlBool, sql } from 'kysely';
import type { ImageWatchStore } from '../../model/ports/image-watch-store.ts';
import { runIdOf } from '../../model/run-id.ts';
import { type DependencyRow, dependencyOf, type OutputRow, outputOf } from '../image-watch-rows.ts';
import type { StoreTables } from '../tables.ts';
import type { Database } from './database.ts';
import { imageConditions, whereAll } from './image-condition.ts';

type ImageDependencyStore = Pick<ImageWatchStore, 'setStatic' | 'analysis' | 'dependencies' | 'outputs' | 'forget' | 'pusherOf'>;

/** What tasks are built from and what they push. Builds write theirs with their end: image-records.ts. */
export function createImageDependencyStore(database: Database, now: () => string): ImageDependencyStore {
  const statements = createStatements(database);
  return {
    setStatic: (task, found) => database.write(() => setStatic(statements, task, found, now())),
    analysis: (taskId) =>
      database.read(() => {
        const row = statements.analysis.get({ task_id: taskId });
        if (row === undefined) return undefined;
        return { version: row.version, at: row.at, ...(row.error === null ? {} : { error: row.error }) };
      }),
    dependencies: ({ taskId, image }) =>
      database.read(() => {
        const where = [...taskCondition(taskId), ...imageConditions(image)];
        return database.all(bestDependencies(database, where)).map(dependencyOf);
      }),
    outputs: ({ taskId, image }) =>
      database.read(() => {
        const where = [...taskCondition(taskId), ...imageConditions(image)];
        return database.all(bestOutputs(database, where)).map(outputOf);
      }),
    forget: (taskId) =>
      database.write(() => {
        for (const statement of statements.forget) statement.run({ task_id: taskId });
      }),
    pusherOf: ({ registry, repository, tag }, digest) =>
      database.read(() => {
        const row = statements.pusher.get({ host: registry, repository, tag, digest });
        return row === undefined ? undefined : { run: runIdOf(row.run), task: row.task };
      }),
  };
}

type Found = Parameters<ImageWatchStore['setStatic']>[1];

function setStatic(
  statements: ReturnType<typeof createStatements>,
  { id, name, version }: Parameters<ImageWatchStore['setStatic']>[0],
  { dependencies, outputs, steps, error }: Found,
  at: string,
): void {
  const known = statements.analysis.get({ task_id: id });
  if (statements.taskExists.get({ id }) === undefined || (known !== undefined && known.version > version)) return;
  statements.setAnalysis.run({ task_id: id, version, at, error: error ?? null });
  // What could not be read at all tells nothing: what was known before is followed on.
  if (error !== undefined && dependencies.length + outputs.length === 0) return;
  statements.dropStatic.run({ task_id: id });
  statements.dropStaticOutputs.run({ task_id: id });
  // A reference that is both is stored as the last: what the image itself is made from.
  for (const { step, platform, image, written, role } of [...dependencies].sort(byRole)) {
    const common = { task_id: id, task: name, step, platform, written, ...image, role };
    statements.putDependency.run({ ...common, state: 'static', index_digest: '', platform_digest: '', resolved: at, run: null });
  }
  for (const image of outputs) statements.putOutput.run({ task_id: id, task: name, ...image, state: 'static', run: null });
  if (steps !== undefined) statements.keepSteps.run({ task_id: id, steps: JSON.stringify(steps) });
}

/** Runtime ones last. */
export function byRole(left: Pick<DependencyRow, 'role'>, right: Pick<DependencyRow, 'role'>): number {
  return Number(left.role === 'runtime') - Number(right.role === 'runtime');
}

function taskCondition(taskId: string | undefined): readonly RawBuilder<unknown>[] {
  return taskId === undefined ? [] : [sql`task_id = ${taskId}`];
}

/** What is built comes before what was attempted, and that before what was only read; one that was read for no platform stands for all. */
function bestDependencies({ queries }: Database, where: readonly RawBuilder<unknown>[]): Compilable<DependencyRow> {
  const rank = (table: string): RawBuilder<number> =>
    sql`case ${sql.ref(`${table}.state`)} when 'built' then 0 when 'attempted' then 1 else 2 end`;
  const better = sql`select 1 from image_dependencies b where b.task_id = d.task_id and b.step = d.step and b.written = d.written
    and (b.platform = d.platform or d.platform = '') and ${rank('b')} < ${rank('d')}`;
  const rows = sql<DependencyRow>`select * from (select * from image_dependencies ${whereAll(where)}) d where not exists (${better})
    order by task, task_id, step, written, platform`;
  return { compile: () => rows.compile(queries) };
}

function bestOutputs({ queries }: Database, where: readonly RawBuilder<unknown>[]): Compilable<OutputRow> {
  const better = sql`select 1 from image_outputs b where b.task_id = o.task_id and b.registry = o.registry and b.repository = o.repository
    and b.tag = o.tag and b.state = 'pushed' and o.state = 'static'`;
  const rows = sql<OutputRow>`select * from (select * from image_outputs ${whereAll(where)}) o where not exists (${better})
    order by task, task_id, registry, repository, tag`;
  return { compile: () => rows.compile(queries) };
}

type ImageRow = Selectable<StoreTables['run_images']>;
type Pushed = Pick<ImageRow, 'repository' | 'host' | 'tag' | 'digest'>;

interface TaskId {
  readonly task_id: string;
}

function createStatements(database: Database) {
  const { queries, prepared } = database;
  return {
    ...createImageRowStatements(database),
    ...analysisStatements(database),
    dropStatic: prepared<TaskId>()((param) =>
      queries.deleteFrom('image_dependencies').where('task_id', '=', param('task_id')).where('state', '=', 'static'),
    ),
    dropStaticOutputs: prepared<TaskId>()((param) =>
      queries.deleteFrom('image_outputs').where('task_id', '=', param('task_id')).where('state', '=', 'static'),
    ),
    keepSteps: prepared<TaskId & { readonly steps: string }>()((param) =>
      queries
        .deleteFrom('image_dependencies')
        .where('task_id', '=', param('task_id'))
        .where(sql<SqlBool>`step not in (select value from json_each(${param('steps')}))`),
    ),
    pusher: prepared<Pushed>()((param): Compilable<Pick<ImageRow, 'run' | 'task'>> => {
      // The index is named, since a database without statistics would rather walk all runs that pushed the repository.
      const newest = sql<Pick<ImageRow, 'run' | 'task'>>`select run, task from run_images indexed by run_images_digest
        where digest = ${param('digest')} and repository = ${param('repository')} and host = ${param('host')} and tag = ${param('tag')}
        order by run desc limit 1`;
      return { compile: () => newest.compile(queries) };
    }),
  };
}

function analysisStatements({ queries, prepared }: Database) {
  return {
    taskExists: prepared<{ id: string }>()((param) => queries.selectFrom('tasks').select('name').where('id', '=', param('id'))),
    analysis: prepared<TaskId>()((param) => queries.selectFrom('image_analyses').selectAll().where('task_id', '=', param('task_id'))),
    setAnalysis: prepared<TaskId & { readonly version: number; readonly at: string; readonly error: string | null }>()((param) =>
      queries.replaceInto('image_analyses').values({
        ...{ task_id: param('task_id'), version: param('version'), at: param('at'), error: param('error') },
      }),
    ),
    forget: [
      prepared<TaskId>()((param) => queries.deleteFrom('image_dependencies').where('task_id', '=', param('task_id'))),
      prepared<TaskId>()((param) => queries.deleteFrom('image_outputs').where('task_id', '=', param('task_id'))),
      prepared<TaskId>()((param) => queries.deleteFrom('image_analyses').where('task_id', '=', param('task_id'))),
    ],
  };
}

/** Each row once, the last that was put. */
export function createImageRowStatements({ queries, prepared }: Database) {
  return {
    putDependency: prepared<DependencyRow>()((param) =>
      queries.replaceInto('image_dependencies').values({
        ...{ task_id: param('task_id'), task: param('task'), step: param('step'), platform: param('platform') },
        ...{ written: param('written'), state: param('state'), registry: param('registry'), repository: param('repository') },
        ...{ tag: param('tag'), role: param('role'), index_digest: param('index_digest') },
        ...{ platform_digest: param('platform_digest'), resolved: param('resolved'), run: param('run') },
      }),
    ),
    putOutput: prepared<OutputRow>()((param) =>
      queries.replaceInto('image_outputs').values({
        ...{ task_id: param('task_id'), task: param('task'), registry: param('registry'), repository: param('repository') },
        ...{ tag: param('tag'), state: param('state'), run: param('run') },
      }),
    ),
  };
}
