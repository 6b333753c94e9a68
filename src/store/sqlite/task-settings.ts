import { sql } from 'kysely';
import { UPDATE_POSTED } from '../../model/ports/store.ts';
import type { Database, Statement } from './database.ts';

/** What tasks have among the settings: keys of UPDATE_POSTED, the id of the task, `:` and more. */
export interface TaskSettings {
  /** Of one task. To be called within `database.write`. */
  forget(taskId: string): void;
  /** Of tasks that are there no more: a post that was going on when its task was deleted is written down after it. */
  removeLeftOver(): Promise<void>;
}

/** Keys that begin with the prefix, by the index: `;` follows `:`. */
const OF_PREFIX = sql<boolean>`key >= ${sql.lit(UPDATE_POSTED)} and key < ${sql.lit(UPDATE_POSTED.replace(/:$/, ';'))}`;
/** Ids of tasks are UUIDs. */
const TASK_OF_KEY = sql<string>`substr(key, ${sql.lit(UPDATE_POSTED.length + 1)}, 36)`;

export function createTaskSettings({ queries, prepared, read, write }: Database): TaskSettings {
  const ofOne = prepared<{ from: string; to: string }>()((param) =>
    queries.deleteFrom('settings').where('key', '>=', param('from')).where('key', '<', param('to')),
  );
  const leftOver: Statement<Readonly<Record<never, never>>, { readonly key: string }> = prepared<Readonly<Record<never, never>>>()(() =>
    queries
      .selectFrom('settings')
      .select('key')
      .where(OF_PREFIX)
      .where(TASK_OF_KEY, 'not in', (eb) => eb.selectFrom('tasks').select('id')),
  );
  const remove = prepared<{ key: string }>()((param) => queries.deleteFrom('settings').where('key', '=', param('key')));
  return {
    forget: (taskId) => {
      ofOne.run({ from: `${UPDATE_POSTED}${taskId}:`, to: `${UPDATE_POSTED}${taskId};` });
    },
    removeLeftOver: async () => {
      const keys = await read(() => leftOver.all({}));
      if (keys.length === 0) return;
      await write(() => {
        for (const { key } of keys) remove.run({ key });
      });
    },
  };
}
