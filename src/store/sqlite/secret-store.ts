import type { Selectable } from 'kysely';
import type { SecretStore } from '../../model/ports/store.ts';
import type { SecretRow } from '../../model/security.ts';
import type { StoreTables } from '../tables.ts';
import type { Database } from './database.ts';

type StoredSecret = Selectable<StoreTables['secrets']>;

export function createSecretStore(database: Database): SecretStore {
  const { queries, prepared } = database;
  const put = prepared<StoredSecret>()((param) =>
    queries.replaceInto('secrets').values({
      ...{ name: param('name'), sealed: param('sealed'), description: param('description'), tasks: param('tasks') },
      ...{ created: param('created'), updated: param('updated'), updated_by: param('updated_by') },
    }),
  );
  const one = prepared<{ name: string }>()((param) => queries.selectFrom('secrets').selectAll().where('name', '=', param('name')));
  const all = prepared<Readonly<Record<never, never>>>()(() =>
    queries.selectFrom('secrets').select(['name', 'description', 'tasks', 'created', 'updated', 'updated_by']).orderBy('name'),
  );
  const remove = prepared<{ name: string }>()((param) => queries.deleteFrom('secrets').where('name', '=', param('name')));
  return {
    put: ({ name, sealed, description, tasks, createdAt, updatedAt, updatedBy }) =>
      database.write(() => {
        const times = { created: createdAt, updated: updatedAt, updated_by: updatedBy };
        put.run({ name, sealed, description, tasks: JSON.stringify(tasks), ...times });
      }),
    get: (name) =>
      database.read(() => {
        const row = one.get({ name });
        return row === undefined ? undefined : { ...secretOf(row), sealed: row.sealed };
      }),
    list: () => database.read(() => all.all({}).map(secretOf)),
    delete: (name) => database.write(() => (remove.run({ name }) === 0 ? 'missing' : 'done')),
  };
}

function secretOf(row: Omit<StoredSecret, 'sealed'>): Omit<SecretRow, 'sealed'> {
  const { name, description, created, updated, updated_by } = row;
  return { name, description, tasks: JSON.parse(row.tasks), createdAt: created, updatedAt: updated, updatedBy: updated_by };
}
