import { randomUUID } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { TaskStore, Written } from '../../model/ports/store.ts';
import type { TaskRecord } from '../../model/task-definition.ts';
import type { StoreTables } from '../tables.ts';
import type { Database } from './database.ts';
import type { TaskSettings } from './task-settings.ts';

/** What goes with a task, by its id: no task has it again. */
const OF_TASKS = ['firings', 'timers', 'image_dependencies', 'image_outputs', 'image_analyses'] as const;

type TaskRow = Selectable<StoreTables['tasks']>;

export function createTaskStore(database: Database, settings: Pick<TaskSettings, 'forget'>, now: () => string): TaskStore {
  const statements = createStatements(database);

  /** Does `work` with the stored row when its version is the one asked for. */
  function withVersion(name: string, version: number | undefined, work: (row: TaskRow) => TaskRow): Promise<Written<TaskRecord>> {
    return database.write(() => {
      const row = statements.one.get({ name });
      if (row === undefined) return { ok: false, because: 'missing' };
      if (version !== undefined && version !== row.version) return { ok: false, because: 'version' };
      return { ok: true, value: taskRecordOf(work(row)) };
    });
  }

  return {
    get: (name) =>
      database.read(() => {
        const row = statements.one.get({ name });
        return row === undefined ? undefined : taskRecordOf(row);
      }),
    list: ({ limit, after }) => database.read(() => statements.page.all({ after: after ?? '', limit }).map(taskRecordOf)),
    create: (definition, managedBy) =>
      database.write(() => {
        const { name } = definition;
        if (statements.one.get({ name }) !== undefined) return { ok: false, because: 'exists' };
        const at = now();
        const row = { name, id: randomUUID(), version: 1, created: at, updated: at, managed_by: managedBy ?? null };
        const stored = { ...row, definition: JSON.stringify(definition) };
        statements.insert.run(stored);
        return { ok: true, value: taskRecordOf(stored) };
      }),
    replace: (definition, { version, managedBy }) =>
      withVersion(definition.name, version, (row) => {
        const owner = managedBy === undefined ? row.managed_by : managedBy;
        const changed = { ...row, version: row.version + 1, updated: now(), managed_by: owner, definition: JSON.stringify(definition) };
        const { id: _id, created: _created, ...values } = changed;
        statements.update.run(values);
        return changed;
      }),
    delete: (name, { version }) =>
      withVersion(name, version, (row) => {
        statements.remove.run({ name });
        for (const statement of statements.forget) statement.run({ task_id: row.id });
        settings.forget(row.id);
        return row;
      }),
  };
}

function createStatements({ queries, prepared }: Database) {
  return {
    one: prepared<{ name: string }>()((param) => queries.selectFrom('tasks').selectAll().where('name', '=', param('name'))),
    page: prepared<{ after: string; limit: number }>()((param) =>
      queries.selectFrom('tasks').selectAll().where('name', '>', param('after')).orderBy('name').limit(param('limit')),
    ),
    insert: prepared<TaskRow>()((param) =>
      queries.insertInto('tasks').values({
        ...{ name: param('name'), id: param('id'), version: param('version'), definition: param('definition') },
        ...{ created: param('created'), updated: param('updated'), managed_by: param('managed_by') },
      }),
    ),
    update: prepared<Omit<TaskRow, 'id' | 'created'>>()((param) =>
      queries
        .updateTable('tasks')
        .set({
          ...{ version: param('version'), definition: param('definition') },
          ...{ updated: param('updated'), managed_by: param('managed_by') },
        })
        .where('name', '=', param('name')),
    ),
    remove: prepared<{ name: string }>()((param) => queries.deleteFrom('tasks').where('name', '=', param('name'))),
    forget: OF_TASKS.map((table) =>
      prepared<{ task_id: string }>()((param) => queries.deleteFrom(table).where('task_id', '=', param('task_id'))),
    ),
  };
}

function taskRecordOf(row: TaskRow): TaskRecord {
  return {
    definition: JSON.parse(row.definition),
    id: row.id,
    version: row.version,
    createdAt: row.created,
    updatedAt: row.updated,
    ...(row.managed_by === null ? {} : { managedBy: row.managed_by }),
  };
}
