import type { SettingStore } from '../../model/ports/store.ts';
import type { Database } from './database.ts';

export function createSettingStore(database: Database): SettingStore {
  const { queries, prepared } = database;
  const one = prepared<{ key: string }>()((param) => queries.selectFrom('settings').select('json').where('key', '=', param('key')));
  const put = prepared<{ key: string; json: string }>()((param) =>
    queries.replaceInto('settings').values({ key: param('key'), json: param('json') }),
  );
  const remove = prepared<{ key: string }>()((param) => queries.deleteFrom('settings').where('key', '=', param('key')));
  return {
    get: (key) =>
      database.read((): unknown => {
        const row = one.get({ key });
        return row === undefined ? undefined : JSON.parse(row.json);
      }),
    set: (key, value) =>
      database.write(() => {
        if (value === undefined) remove.run({ key });
        else put.run({ key, json: JSON.stringify(value) });
      }),
  };
}
