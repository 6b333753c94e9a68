import { sql } from 'kysely';
import type { Database } from './database.ts';

type Nothing = Readonly<Record<never, never>>;
interface Key {
  readonly key: string;
}

export type GitWatchStatements = ReturnType<typeof createGitWatchStatements>;

export function createGitWatchStatements(database: Database) {
  return { ...repositoryStatements(database), ...lookStatements(database), ...refStatements(database) };
}

function repositoryStatements({ queries, prepared }: Database) {
  return {
    one: prepared<Key>()((param) => queries.selectFrom('watched_repositories').selectAll().where('key', '=', param('key'))),
    all: prepared<Nothing>()(() => queries.selectFrom('watched_repositories').selectAll().orderBy('url').orderBy('key')),
    keys: prepared<Nothing>()(() => queries.selectFrom('watched_repositories').select('key')),
    insert: prepared<Key & { readonly url: string; readonly at: string }>()((param) =>
      queries
        .insertInto('watched_repositories')
        .values({ key: param('key'), url: param('url'), next_check: param('at'), hurried: 0, failures: 0 })
        .onConflict((conflict) => conflict.column('key').doNothing()),
    ),
    setUrl: prepared<Key & { readonly url: string }>()((param) =>
      queries
        .updateTable('watched_repositories')
        .set({ url: param('url') })
        .where('key', '=', param('key')),
    ),
    remove: prepared<Key>()((param) => queries.deleteFrom('watched_repositories').where('key', '=', param('key'))),
  };
}

function lookStatements({ queries, prepared }: Database) {
  return {
    due: prepared<{ now: string; limit: number }>()((param) =>
      queries
        .selectFrom('watched_repositories')
        .selectAll()
        .where('next_check', '<=', param('now'))
        .where((eb) => eb.or([eb('leased', 'is', null), eb('leased', '<=', param('now'))]))
        .orderBy('next_check')
        .limit(param('limit')),
    ),
    lease: prepared<Key & { readonly leased: string }>()((param) =>
      queries
        .updateTable('watched_repositories')
        .set({ leased: param('leased'), hurried: 0 })
        .where('key', '=', param('key')),
    ),
    seen: prepared<Key & { readonly at: string; readonly default_branch: string | null; readonly next_check: string }>()((param) =>
      queries
        .updateTable('watched_repositories')
        .set({
          ...{ checked: param('at'), leased: null, hurried: 0, failures: 0, error: null },
          default_branch: sql<string | null>`coalesce(${param('default_branch')}, default_branch)`,
          next_check: sql<string>`case hurried when 1 then ${param('at')} else ${param('next_check')} end`,
        })
        .where('key', '=', param('key')),
    ),
    failed: prepared<Key & { readonly at: string; readonly error: string; readonly next_check: string }>()((param) =>
      queries
        .updateTable('watched_repositories')
        .set({
          ...{ leased: null, hurried: 0, failures: sql<number>`failures + 1`, error: param('error') },
          next_check: sql<string>`case hurried when 1 then ${param('at')} else ${param('next_check')} end`,
        })
        .where('key', '=', param('key')),
    ),
    /** While somebody looks, what is new may have come after he asked: he is to look again. */
    hurry: prepared<Key & { readonly at: string }>()((param) =>
      queries
        .updateTable('watched_repositories')
        .set({
          next_check: sql<string>`min(next_check, ${param('at')})`,
          hurried: sql<number>`case when leased > ${param('at')} then 1 else 0 end`,
        })
        .where('key', '=', param('key')),
    ),
  };
}

function refStatements({ queries, prepared }: Database) {
  return {
    refs: prepared<Key>()((param) =>
      queries.selectFrom('watched_refs').select(['ref', 'id']).where('repository', '=', param('key')).where('id', 'is not', null),
    ),
    ref: prepared<Key & { readonly ref: string }>()((param) =>
      queries.selectFrom('watched_refs').select('ids').where('repository', '=', param('key')).where('ref', '=', param('ref')),
    ),
    setRef: prepared<Key & { readonly ref: string; readonly id: string | null; readonly ids: string; readonly at: string }>()((param) =>
      queries.replaceInto('watched_refs').values({
        ...{ repository: param('key'), ref: param('ref'), id: param('id') },
        ...{ ids: param('ids'), changed: param('at') },
      }),
    ),
    forgetGone: prepared<Key & { readonly kept: number }>()((param) =>
      queries
        .deleteFrom('watched_refs')
        .where('repository', '=', param('key'))
        .where('ref', 'in', (eb) =>
          eb
            .selectFrom('watched_refs')
            .select('ref')
            .where('repository', '=', param('key'))
            .where('id', 'is', null)
            .orderBy('changed', 'desc')
            .limit(sql<number>`-1`)
            .offset(param('kept')),
        ),
    ),
  };
}
