import type { AuditStore } from '../../model/ports/store.ts';
import type { AuditEntry } from '../../model/security.ts';
import type { Database } from './database.ts';

/** Triggers of the table refuse changes and removals, whoever asks. */
export function createAuditStore(database: Database, now: () => string): AuditStore {
  const { queries, prepared } = database;
  const insert = prepared<Omit<AuditEntry, 'seq' | 'details'> & { readonly details: string }>()((param) =>
    queries.insertInto('audit').values({
      ...{ at: param('at'), action: param('action'), principal: param('principal'), source: param('from') },
      ...{ target: param('target'), outcome: param('outcome'), details: param('details') },
    }),
  );
  return {
    append: ({ action, principal, from, target, outcome, details }) =>
      database.write(() => {
        insert.run({ at: now(), action, principal, from, target, outcome, details: JSON.stringify(details) });
      }),
    list: ({ before, limit, action, principal, target, since }) =>
      database.read(() => {
        let query = queries.selectFrom('audit').selectAll().orderBy('seq', 'desc').limit(limit);
        if (before !== undefined) query = query.where('seq', '<', before);
        if (action !== undefined) query = query.where('action', '=', action);
        if (principal !== undefined) query = query.where('principal', '=', principal);
        if (target !== undefined) query = query.where('target', '=', target);
        if (since !== undefined) query = query.where('at', '>=', new Date(since).toISOString());
        return database.all(query).map(({ source, details, ...row }) => ({ ...row, from: source, details: JSON.parse(details) }));
      }),
  };
}
