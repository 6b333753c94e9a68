import type { Selectable } from 'kysely';
import type { GitWatchStore, WatchedRepository } from '../../model/ports/git-watch-store.ts';
import { storedTime, timeAfter } from '../stored-time.ts';
import type { StoreTables } from '../tables.ts';
import type { Database } from './database.ts';
import type { EventWrites } from './event-writes.ts';
import { createGitWatchStatements, type GitWatchStatements } from './git-watch-statements.ts';

type RepositoryRow = Selectable<StoreTables['watched_repositories']>;

/** Ids that are remembered of each ref. */
const KEPT_IDS = 50;
/** Refs that are gone are remembered too, so many of each repository: a delivery may come after its branch was deleted. */
const KEPT_GONE = 1000;

export function createGitWatchStore(database: Database, writes: EventWrites, now: () => string): GitWatchStore {
  const statements = createGitWatchStatements(database);
  return {
    sync: (repositories) =>
      database.write(() => {
        const wanted = new Set(repositories.map(({ key }) => key));
        for (const { key } of statements.keys.all({})) if (!wanted.has(key)) statements.remove.run({ key });
        watchAll(statements, repositories, now());
      }),
    change: ({ watch, unwatch }) =>
      database.write(() => {
        for (const key of unwatch) statements.remove.run({ key });
        watchAll(statements, watch, now());
      }),
    due: ({ limit, leaseMs }) =>
      database.write(() => {
        const at = now();
        const rows = statements.due.all({ now: at, limit });
        for (const { key } of rows) statements.lease.run({ key, leased: timeAfter(at, leaseMs) });
        return rows.map(repositoryOf);
      }),
    get: (key) =>
      database.read(() => {
        const row = statements.one.get({ key });
        return row === undefined ? undefined : repositoryOf(row);
      }),
    list: () => database.read(() => statements.all.all({}).map(repositoryOf)),
    refs: (key) => database.read(() => new Map(statements.refs.all({ key }).map(({ ref, id }) => [ref, id ?? '']))),
    hadRef: (key, ref, id) =>
      database.read(() => {
        const row = statements.ref.get({ key, ref });
        return row !== undefined && idsOf(row.ids).includes(id);
      }),
    seen: (key, { refs, defaultBranch, nextCheck, events }) =>
      database.write(() => {
        const at = now();
        if (statements.one.get({ key }) === undefined) return [];
        for (const [ref, id] of refs) storeRef(statements, { key, ref, id, at });
        if ([...refs.values()].includes(null)) statements.forgetGone.run({ key, kept: KEPT_GONE });
        statements.seen.run({ key, at, default_branch: defaultBranch ?? null, next_check: storedTime(nextCheck) });
        return writes.record(events);
      }),
    failed: (key, { error, nextCheck }) =>
      database.write(() => {
        statements.failed.run({ key, at: now(), error, next_check: storedTime(nextCheck) });
      }),
    hurry: (key) =>
      database.write(() => {
        statements.hurry.run({ key, at: now() });
      }),
  };
}

/** New ones are due at once; what is known of the others stays. */
function watchAll(statements: GitWatchStatements, wanted: Parameters<GitWatchStore['sync']>[0], at: string): void {
  for (const { key, url } of wanted) {
    const row = statements.one.get({ key });
    if (row === undefined) statements.insert.run({ key, url, at });
    else if (row.url !== url) statements.setUrl.run({ key, url });
  }
}

function storeRef(
  statements: GitWatchStatements,
  { key, ref, id, at }: { readonly key: string; readonly ref: string; readonly id: string | null; readonly at: string },
): void {
  const row = statements.ref.get({ key, ref });
  if (row === undefined && id === null) return;
  const earlier = row === undefined ? [] : idsOf(row.ids);
  const ids = id === null || earlier[0] === id ? earlier : [id, ...earlier].slice(0, KEPT_IDS);
  statements.setRef.run({ key, ref, id, ids: JSON.stringify(ids), at });
}

function idsOf(json: string): readonly string[] {
  return JSON.parse(json);
}

function repositoryOf(row: RepositoryRow): WatchedRepository {
  return {
    key: row.key,
    url: row.url,
    nextCheck: row.next_check,
    failures: row.failures,
    ...(row.checked === null ? {} : { checkedAt: row.checked }),
    ...(row.default_branch === null ? {} : { defaultBranch: row.default_branch }),
    ...(row.error === null ? {} : { error: row.error }),
  };
}
