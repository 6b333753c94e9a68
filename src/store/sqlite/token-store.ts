import type { Selectable } from 'kysely';
import type { TokenStore } from '../../model/ports/store.ts';
import type { TokenRecord } from '../../model/security.ts';
import type { StoreTables } from '../tables.ts';
import type { Database } from './database.ts';

type TokenRow = Selectable<StoreTables['tokens']>;

export function createTokenStore(database: Database, now: () => string): TokenStore {
  const statements = createStatements(database);
  return {
    insert: ({ hash, ...record }) =>
      database.write(() => {
        if (statements.taken.get({ id: record.id, hash }) !== undefined) return { ok: false, because: 'exists' };
        const { lastUsedAt, revokedAt, ...rest } = record;
        const row = { id: record.id, hash, created: record.createdAt, record: JSON.stringify(rest) };
        statements.insert.run({ ...row, last_used: lastUsedAt ?? null, revoked: revokedAt ?? null });
        return { ok: true, value: record };
      }),
    byHash: (hash) =>
      database.read(() => {
        const row = statements.byHash.get({ hash });
        return row === undefined ? undefined : tokenRecordOf(row);
      }),
    list: () => database.read(() => statements.all.all({}).map(tokenRecordOf)),
    revoke: (id) => database.write(() => (statements.revoke.run({ id, at: now() }) === 0 ? 'missing' : 'done')),
    touch: (uses) =>
      database.write(() => {
        for (const { id, at } of uses) statements.touch.run({ id, at });
      }),
  };
}

function createStatements({ queries, prepared }: Database) {
  return {
    taken: prepared<{ id: string; hash: Uint8Array }>()((param) =>
      queries
        .selectFrom('tokens')
        .select('id')
        .where((eb) => eb.or([eb('id', '=', param('id')), eb('hash', '=', param('hash'))])),
    ),
    insert: prepared<TokenRow>()((param) =>
      queries.insertInto('tokens').values({
        ...{ id: param('id'), hash: param('hash'), created: param('created') },
        ...{ record: param('record'), last_used: param('last_used'), revoked: param('revoked') },
      }),
    ),
    byHash: prepared<{ hash: Uint8Array }>()((param) =>
      queries.selectFrom('tokens').selectAll().where('hash', '=', param('hash')).where('revoked', 'is', null),
    ),
    all: prepared<Readonly<Record<never, never>>>()(() => queries.selectFrom('tokens').selectAll().orderBy('created').orderBy('id')),
    /** The first time of a revocation stays. */
    revoke: prepared<{ id: string; at: string }>()((param) =>
      queries
        .updateTable('tokens')
        .set((eb) => ({ revoked: eb.fn.coalesce('revoked', param('at')) }))
        .where('id', '=', param('id')),
    ),
    /** Uses may be told out of order: the latest stays. */
    touch: prepared<{ id: string; at: string }>()((param) =>
      queries
        .updateTable('tokens')
        .set({ last_used: param('at') })
        .where('id', '=', param('id'))
        .where((eb) => eb.or([eb('last_used', 'is', null), eb('last_used', '<', param('at'))])),
    ),
  };
}

function tokenRecordOf(row: TokenRow): TokenRecord {
  const record: TokenRecord = JSON.parse(row.record);
  return {
    ...record,
    ...(row.last_used === null ? {} : { lastUsedAt: row.last_used }),
    ...(row.revoked === null ? {} : { revokedAt: row.revoked }),
  };
}
