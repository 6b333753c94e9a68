import { type Compilable, sql } from 'kysely';
import type { ImageTarget, ImageWatchStore } from '../../model/ports/image-watch-store.ts';
import { type FoundTarget, foundTargetOf, type TargetRow, targetOf, type WantedTarget, wantedTargetOf } from '../image-watch-rows.ts';
import { storedTime, timeAfter } from '../stored-time.ts';
import type { Database } from './database.ts';
import type { EventWrites } from './event-writes.ts';
import { imageConditions, whereAll } from './image-condition.ts';

type ImageTargetStore = Pick<ImageWatchStore, 'sync' | 'change' | 'due' | 'targets' | 'looked' | 'failed'>;

/** What is asked of registries. */
export function createImageTargetStore(database: Database, writes: EventWrites, now: () => string): ImageTargetStore {
  const statements = createStatements(database);
  return {
    sync: (targets) =>
      database.write(() => {
        const wanted = new Set(targets.map(({ key }) => key));
        for (const { key } of statements.keys.all({})) if (!wanted.has(key)) statements.remove.run({ key });
        followAll(statements, targets, now());
      }),
    change: ({ follow, unfollow }) =>
      database.write(() => {
        for (const key of unfollow) statements.remove.run({ key });
        followAll(statements, follow, now());
      }),
    due: ({ limit, leaseMs }) =>
      database.write(() => {
        const at = now();
        const rows = statements.due.all({ now: at, limit });
        for (const { key } of rows) statements.lease.run({ key, leased: timeAfter(at, leaseMs) });
        return rows.map(targetOf);
      }),
    targets: ({ image, key }) =>
      database.read(() => {
        const where = whereAll([...imageConditions(image), ...(key === undefined ? [] : [sql`key = ${key}`])]);
        const rows = sql<TargetRow>`select * from image_targets ${where} order by registry, repository, tag, key`;
        const query: Compilable<TargetRow> = { compile: () => rows.compile(database.queries) };
        return database.all(query).map(targetOf);
      }),
    looked: (looks) =>
      database.write(() => {
        for (const look of looks) statements.looked.run({ ...foundTargetOf(look), at: now() });
        return writes.record(looks.flatMap(({ events }) => events));
      }),
    failed: (key, { status, error, nextCheck }) =>
      database.write(() => {
        statements.failed.run({ key, status, error, next_check: storedTime(nextCheck), at: now() });
      }),
  };
}

function followAll(statements: ReturnType<typeof createStatements>, targets: readonly ImageTarget[], at: string): void {
  for (const target of targets) {
    const wanted = wantedTargetOf(target);
    const row = statements.wanted.get({ key: wanted.key });
    if (row === undefined) statements.insert.run({ ...wanted, at });
    else if (!isSame(row, wanted)) statements.update.run({ ...wanted, by: mostLater(row, wanted, at) });
  }
}

function isSame(row: WantedTarget, wanted: WantedTarget): boolean {
  const fields = Object.keys(wanted) as (keyof WantedTarget)[];
  return fields.every((field) => row[field] === wanted[field]);
}

/** The latest that the next look may be: at once for a platform that no look has seen, within a shorter interval otherwise. */
function mostLater(row: WantedTarget, wanted: WantedTarget, at: string): string {
  const before: readonly string[] = JSON.parse(row.platforms);
  const platforms: readonly string[] = JSON.parse(wanted.platforms);
  const isNew = row.pattern !== wanted.pattern || platforms.some((platform) => !before.includes(platform));
  return isNew ? at : timeAfter(at, wanted.most * 1000);
}

type Failure = Pick<TargetRow, 'key' | 'status' | 'next_check'> & { readonly error: string; readonly at: string };

function createStatements(database: Database) {
  return { ...targetStatements(database), ...lookStatements(database) };
}

function targetStatements({ queries, prepared }: Database) {
  return {
    keys: prepared<Readonly<Record<never, never>>>()(() => queries.selectFrom('image_targets').select('key')),
    wanted: prepared<{ key: string }>()((param) =>
      queries
        .selectFrom('image_targets')
        .select(['key', 'registry', 'repository', 'tag', 'credential', 'pattern', 'least', 'most', 'platforms'])
        .where('key', '=', param('key')),
    ),
    insert: prepared<WantedTarget & { readonly at: string }>()((param) =>
      queries.insertInto('image_targets').values({
        ...{ key: param('key'), registry: param('registry'), repository: param('repository'), tag: param('tag') },
        ...{ credential: param('credential'), pattern: param('pattern'), least: param('least'), most: param('most') },
        ...{ platforms: param('platforms'), index_digest: '', digests: '{}', newest_tag: '' },
        ...{ next_check: param('at'), status: 'new', failures: 0 },
      }),
    ),
    update: prepared<WantedTarget & { readonly by: string }>()((param) =>
      queries
        .updateTable('image_targets')
        .set({
          ...{ registry: param('registry'), repository: param('repository'), tag: param('tag'), credential: param('credential') },
          ...{ pattern: param('pattern'), least: param('least'), most: param('most'), platforms: param('platforms') },
          next_check: sql<string>`min(next_check, ${param('by')})`,
        })
        .where('key', '=', param('key')),
    ),
    remove: prepared<{ key: string }>()((param) => queries.deleteFrom('image_targets').where('key', '=', param('key'))),
  };
}

function lookStatements({ queries, prepared }: Database) {
  return {
    due: prepared<{ now: string; limit: number }>()((param) =>
      queries
        .selectFrom('image_targets')
        .selectAll()
        .where('next_check', '<=', param('now'))
        .where((eb) => eb.or([eb('leased', 'is', null), eb('leased', '<=', param('now'))]))
        .orderBy('next_check')
        .limit(param('limit')),
    ),
    lease: prepared<{ key: string; leased: string }>()((param) =>
      queries
        .updateTable('image_targets')
        .set({ leased: param('leased') })
        .where('key', '=', param('key')),
    ),
    looked: prepared<FoundTarget & { readonly at: string }>()((param) =>
      queries
        .updateTable('image_targets')
        .set({
          ...{ index_digest: param('index_digest'), digests: param('digests'), newest_tag: param('newest_tag') },
          ...{ checked: param('at'), next_check: param('next_check'), leased: null, status: 'ok', error: null, failures: 0 },
        })
        .where('key', '=', param('key')),
    ),
    failed: prepared<Failure>()((param) =>
      queries
        .updateTable('image_targets')
        .set({
          ...{ status: param('status'), error: param('error'), failures: sql<number>`failures + 1` },
          ...{ checked: param('at'), next_check: param('next_check'), leased: null },
        })
        .where('key', '=', param('key')),
    ),
  };
}
