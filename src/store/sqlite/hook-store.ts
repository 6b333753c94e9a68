import type { Selectable } from 'kysely';
import type { HookRecord, HookStore } from '../../model/ports/hook-store.ts';
import { storedTime } from '../stored-time.ts';
import type { StoreTables } from '../tables.ts';
import type { Database } from './database.ts';

type HookRow = Selectable<StoreTables['hooks']>;

export function createHookStore(database: Database): HookStore {
  const statements = createStatements(database);
  return {
    put: (hook) =>
      database.write(() => {
        const row = statements.one.get({ id: hook.id });
        statements.put.run(rowOf(row === undefined ? hook : keeping(hookRecordOf(row), hook)));
      }),
    get: (id) =>
      database.read(() => {
        const row = statements.one.get({ id });
        return row === undefined ? undefined : hookRecordOf(row);
      }),
    list: () => database.read(() => statements.all.all({}).map(hookRecordOf)),
    delete: (id) => database.write(() => (statements.remove.run({ id }) === 0 ? 'missing' : 'done')),
    delivered: (uses) =>
      database.write(() => {
        for (const { id, at, result } of uses) statements.deliver.run({ id, at: storedTime(at), result });
      }),
  };
}

/** What deliveries have set meanwhile is not undone by one who read the hook before. */
function keeping(stored: HookRecord, hook: HookRecord): HookRecord {
  const { source } = hook;
  const later = (stored.lastDelivery?.at ?? '') > (hook.lastDelivery?.at ?? '') ? stored.lastDelivery : hook.lastDelivery;
  const last = later === undefined ? {} : { lastDelivery: later };
  if (source.kind !== 'git' || stored.source.kind !== 'git') return { ...hook, ...last };
  const { forge, repositoryUrl, repositoryId } = stored.source;
  const pinned = repositoryId !== undefined && forge === source.forge && repositoryUrl === source.repositoryUrl;
  return { ...hook, ...last, ...(pinned ? { source: { ...source, repositoryId } } : {}) };
}

function rowOf(hook: HookRecord): HookRow {
  return {
    id: hook.id,
    source: JSON.stringify(hook.source),
    secret: hook.secret,
    previous_secret: hook.previousSecret ?? null,
    previous_until: hook.previousUntil === undefined ? null : storedTime(hook.previousUntil),
    created: storedTime(hook.createdAt),
    created_by: hook.createdBy,
    delivered: hook.lastDelivery === undefined ? null : storedTime(hook.lastDelivery.at),
    result: hook.lastDelivery?.result ?? null,
    remote_id: hook.remoteId ?? null,
  };
}

function hookRecordOf(row: HookRow): HookRecord {
  return {
    id: row.id,
    source: JSON.parse(row.source),
    secret: row.secret,
    createdAt: row.created,
    createdBy: row.created_by,
    ...(row.previous_secret === null ? {} : { previousSecret: row.previous_secret }),
    ...(row.previous_until === null ? {} : { previousUntil: row.previous_until }),
    ...(row.delivered === null ? {} : { lastDelivery: { at: row.delivered, result: row.result ?? '' } }),
    ...(row.remote_id === null ? {} : { remoteId: row.remote_id }),
  };
}

function createStatements({ queries, prepared }: Database) {
  return {
    one: prepared<{ id: string }>()((param) => queries.selectFrom('hooks').selectAll().where('id', '=', param('id'))),
    all: prepared<Readonly<Record<never, never>>>()(() => queries.selectFrom('hooks').selectAll().orderBy('created').orderBy('id')),
    put: prepared<HookRow>()((param) =>
      queries.replaceInto('hooks').values({
        ...{ id: param('id'), source: param('source'), secret: param('secret'), previous_secret: param('previous_secret') },
        ...{ previous_until: param('previous_until'), created: param('created'), created_by: param('created_by') },
        ...{ delivered: param('delivered'), result: param('result'), remote_id: param('remote_id') },
      }),
    ),
    remove: prepared<{ id: string }>()((param) => queries.deleteFrom('hooks').where('id', '=', param('id'))),
    deliver: prepared<{ id: string; at: string; result: string }>()((param) =>
      queries
        .updateTable('hooks')
        .set({ delivered: param('at'), result: param('result') })
        .where('id', '=', param('id'))
        .where((eb) => eb.or([eb('delivered', 'is', null), eb('delivered', '<=', param('at'))])),
    ),
  };
}
