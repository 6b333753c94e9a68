import type { GroupMember } from '../../model/ports/run-queue.ts';
import type { RunRecord } from '../../model/run-record.ts';

export interface ConflictDecision {
  /** The new run itself ends. */
  readonly skip: boolean;
  /** Older runs that end for it. */
  readonly cancel: readonly string[];
  /** One sentence, for whatever ends. */
  readonly reason: string;
}

/**
 * What a new run and the older runs of its concurrency group do to one another when the group is full: as many live runs as its limit, those
 * that wait included. A run of untrusted code never ends one of trusted code: it could choose its branch so as to land in any group.
 */
export function decideConflict({ id, request }: Pick<RunRecord, 'id' | 'request'>, older: readonly GroupMember[]): ConflictDecision {
  const { concurrency, trust } = request;
  const full = concurrency !== undefined && older.length >= concurrency.limit;
  if (!full || concurrency.onConflict === 'queue') return { skip: false, cancel: [], reason: '' };
  const { group, onConflict } = concurrency;
  if (onConflict === 'skip') return { skip: true, cancel: [], reason: `skipped: concurrency group "${group}" is full (${listed(older)})` };
  const ending = older.filter(
    (member) => (member.queued || onConflict === 'cancel-running') && (trust === 'trusted' || member.trust === 'untrusted'),
  );
  return { skip: false, cancel: ending.map(({ run }) => run), reason: `superseded by run ${id} of concurrency group "${group}"` };
}

function listed(members: readonly GroupMember[]): string {
  const shown = members.slice(0, 3).map(({ run }) => run);
  return `${shown.join(', ')}${members.length > shown.length ? ', …' : ''}`;
}
