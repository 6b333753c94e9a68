import type { RunRecord } from '../../model/run-record.ts';

/** More runs do not follow one another. */
export const MOST_LINKS = 10;

/** Tasks whose runs followed one another up to this run, the first one first: `build → test → scan`. A run's causes hold those of the runs before it. */
export function chainOfTasks({ request }: Pick<RunRecord, 'request'>): readonly string[] {
  const before = request.causes.flatMap((cause) => {
    return (cause.kind === 'after' || cause.kind === 'image-update') && cause.task !== undefined ? [cause.task] : [];
  });
  return [...(request.task === undefined ? [] : [request.task]), ...before].reverse();
}
