import type { CommitStatusRow } from '../../model/ports/status-store.ts';
import type { Store } from '../../model/ports/store.ts';
import type { SourceTrigger } from '../../model/trigger-definition.ts';
import { sourceRunOf } from './run-status.ts';

/** Before what is kept as the error of a status that was not sent at all, which is nobody's fault. */
const NOT_SENT = 'not sent: ';
/** Runs that are looked through for the newest status that was answered. */
const MOST_RUNS = 20;

/** The error to keep with a status that was not sent. A refusal of `before` stays known. */
export function notSent(why: string, before?: CommitStatusRow): string {
  const refusal = before === undefined ? undefined : refusalOf(before);
  return refusal ?? `${NOT_SENT}${why}`;
}

function refusalOf({ error }: CommitStatusRow): string | undefined {
  return error === undefined || error.startsWith(NOT_SENT) ? undefined : error;
}

/** Why the forge has no newest status of a run, for people; undefined when it took it, or was not asked yet. */
export async function statusProblemOfRun({ statuses }: Pick<Store, 'statuses'>, run: string, now: Date): Promise<string | undefined> {
  const problems = (await statuses.ofRun(run)).flatMap((row) => problemOf(row, now) ?? []);
  return problems[0];
}

/** The problem of the newest status of a trigger that was answered: a later one that is taken ends it. */
export async function statusProblemOfTrigger(
  { runs, statuses }: Pick<Store, 'runs' | 'statuses'>,
  { task, trigger, now }: { readonly task: string; readonly trigger: SourceTrigger; readonly now: Date },
): Promise<string | undefined> {
  if (!trigger.commitStatus) return undefined;
  for (const summary of await runs.list({ task, limit: MOST_RUNS })) {
    if (sourceRunOf(summary)?.cause.trigger !== trigger.name) continue;
    const rows = await statuses.ofRun(summary.id);
    const answered = rows.find(({ error, delivered }) => error !== undefined || delivered > 0);
    if (answered !== undefined) return problemOf(answered, now);
  }
  return undefined;
}

function problemOf(row: CommitStatusRow, now: Date): string | undefined {
  const refusal = refusalOf(row);
  if (refusal === undefined) return undefined;
  const again = Date.parse(row.nextAttempt) > now.getTime() ? `; tried again at ${row.nextAttempt}` : '';
  return `the commit status ${row.context} of run ${row.run} was not taken: ${refusal}${again}`;
}
