import type { Selectable } from 'kysely';
import { IDEMPOTENCY_KEPT_MS, type IdempotencyStore } from '../../model/ports/store.ts';
import type { StoreTables } from '../tables.ts';
import type { Database } from './database.ts';

type IdempotencyRow = Selectable<StoreTables['idempotency']>;
type Begun = Awaited<ReturnType<IdempotencyStore['begin']>>;

export function createIdempotencyStore(database: Database, now: () => string): IdempotencyStore {
  const statements = createStatements(database);
  return {
    begin: ({ principal, key, fingerprint, staleMs }) =>
      database.write(() => {
        const taken = now();
        const row = statements.one.get({ principal, key });
        const begun = row === undefined ? undefined : standingOf(row, fingerprint, Date.parse(taken), staleMs);
        if (begun !== undefined) return begun;
        statements.take.run({ principal, key, fingerprint, taken });
        return { kind: 'new' };
      }),
    complete: ({ principal, key }, { status, body, headers }) =>
      database.write(() => {
        statements.complete.run({ principal, key, status, body, headers: JSON.stringify(headers) });
      }),
    abandon: ({ principal, key }) =>
      database.write(() => {
        statements.abandon.run({ principal, key });
      }),
    prune: (before) => database.write(() => statements.prune.run({ before: new Date(before).toISOString() })),
  };
}

/** What a key that was taken before means for the request that comes with it now; undefined when it is free again. */
function standingOf(row: IdempotencyRow, fingerprint: string, nowMs: number, staleMs: number): Begun | undefined {
  const ageMs = nowMs - Date.parse(row.taken);
  // An older answer is as good as none.
  if (ageMs >= IDEMPOTENCY_KEPT_MS) return undefined;
  if (row.fingerprint !== fingerprint) return { kind: 'mismatch' };
  const { status, body, headers } = row;
  if (status !== null) return { kind: 'replay', status, body: body ?? '', headers: headers === null ? {} : JSON.parse(headers) };
  return ageMs >= staleMs ? undefined : { kind: 'running' };
}

function createStatements({ queries, prepared }: Database) {
  return {
    one: prepared<{ principal: string; key: string }>()((param) =>
      queries.selectFrom('idempotency').selectAll().where('principal', '=', param('principal')).where('key', '=', param('key')),
    ),
    take: prepared<Pick<IdempotencyRow, 'principal' | 'key' | 'fingerprint' | 'taken'>>()((param) =>
      queries.replaceInto('idempotency').values({
        ...{ principal: param('principal'), key: param('key') },
        ...{ fingerprint: param('fingerprint'), taken: param('taken') },
      }),
    ),
    complete: prepared<{ principal: string; key: string; status: number; body: string; headers: string }>()((param) =>
      queries
        .updateTable('idempotency')
        .set({ status: param('status'), body: param('body'), headers: param('headers') })
        .where('principal', '=', param('principal'))
        .where('key', '=', param('key'))
        .where('status', 'is', null),
    ),
    abandon: prepared<{ principal: string; key: string }>()((param) =>
      queries
        .deleteFrom('idempotency')
        .where('principal', '=', param('principal'))
        .where('key', '=', param('key'))
        .where('status', 'is', null),
    ),
    prune: prepared<{ before: string }>()((param) => queries.deleteFrom('idempotency').where('taken', '<', param('before'))),
  };
}
