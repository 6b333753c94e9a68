import type { AuditStore } from '../../model/ports/store.ts';
import type { AuditEntry, Principal } from '../../model/security.ts';
import { scrubFields, scrubText } from './scrub.ts';

export interface AuditEvent {
  /** `task.create`, `secret.set`, `auth.refused`, … */
  readonly action: string;
  /** What was touched: the name of a task or secret, the id of a run or token. */
  readonly target: string;
  /** `done` unless given. */
  readonly outcome?: AuditEntry['outcome'];
  /** Plain JSON; what looks like a secret is left out. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Who did what, from where. There is no way to change or remove an entry. */
export interface Audit {
  /** Resolves when durable. */
  record(who: Pick<Principal, 'name' | 'from'>, event: AuditEvent): Promise<void>;
  list: AuditStore['list'];
}

export function createAudit(store: AuditStore): Audit {
  return {
    record: (who, { action, target, outcome = 'done', details = {} }) =>
      store.append({
        action,
        principal: scrubText(who.name),
        from: scrubText(who.from),
        target: scrubText(target),
        outcome,
        details: scrubFields(details),
      }),
    list: (query) => store.list(query),
  };
}
