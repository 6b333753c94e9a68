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

const NO_CONFLICT: ConflictDecision = { skip: false, cancel: [], reason: '' };

/**
 * What a new run and the older runs of its concurrency group do to one another when the group is full: as many live runs as its limit, those
 * that wait included. For a run of trusted code those of untrusted code are not there: they could choose their branch so as to land in any
 * group, and must neither end it nor be in its way. A run that is held makes no other skip: it may wait for a person for days.
 */
export function decideConflict({ id, request }: Pick<RunRecord, 'id' | 'request'>, older: readonly GroupMember[]): ConflictDecision {
  const { concurrency, trust } = request;
  if (concurrency === undefined || concurrency.onConflict === 'queue') return NO_CONFLICT;
  const { group, limit, onConflict } = concurrency;
  const rivals = trust === 'trusted' ? older.filter((member) => member.trust === 'trusted') : older;
  const taking = onConflict === 'skip' ? rivals.filter(({ held }) => !held) : rivals;
  if (taking.length < limit) return NO_CONFLICT;
  if (onConflict === 'skip') return { skip: true, cancel: [], reason: `skipped: concurrency group "${group}" is full (${listed(taking)})` };
  const ending = rivals.filter(
    (member) => (member.queued || onConflict === 'cancel-running') && (trust === 'trusted' || member.trust === 'untrusted'),
  );
  return { skip: false, cancel: ending.map(({ run }) => run), reason: `superseded by run ${id} of concurrency group "${group}"` };
}

function listed(members: readonly GroupMember[]): string {
  const shown = members.slice(0, 3).map(({ run }) => run);
  return `${shown.join(', ')}${members.length > shown.length ? ', …' : ''}`;
}
